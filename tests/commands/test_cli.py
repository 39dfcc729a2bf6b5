import subprocess
import sys


def test_predicting_loads_no_library_that_it_does_not_use(click_folder, tmp_path):
    """``scipy.signal`` alone takes half a second, matplotlib as long where no picture is wanted."""
    code = (
        "import sys; from beatgrid.commands.predict import main\n"
        f"main(['audio={click_folder.path}/audio/click_a.wav', 'picture=false'])\n"
        "loaded = {'scipy.signal', 'scipy.stats', 'matplotlib', 'lightning', 'sklearn'}\n"
        "print(sorted(loaded & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "[]\n")


def test_control_characters_of_a_command_line_are_shown_as_escapes(run_script):
    done = run_script("predict.py", "audio=\x1b[31mred\nof.mp3", "activation=flux")
    assert (done.status, done.err.count("\x1b"), done.err.count("Traceback")) == (1, 0, 0)
    assert "error: audio=\\x1b[31mred" in done.err
