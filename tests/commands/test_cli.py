import subprocess
import sys


def test_importing_the_command_line_does_not_load_lightning():
    """Prediction starts without the training stack."""
    code = "import beatgrid.commands.predict, sys; sys.exit('lightning' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
