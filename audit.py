"""Hold labels against their music: ``python audit.py data.audio_dir=... data.label_dir=...``."""

from beatgrid.commands.audit import main

if __name__ == "__main__":
    main()
