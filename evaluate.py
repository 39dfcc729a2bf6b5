"""Score grids against labels: ``python evaluate.py data.audio_dir=... data.label_dir=...``."""

from beatgrid.commands.evaluate import main

if __name__ == "__main__":
    main()
