"""Fit what turns a network's output into grids: ``python calibrate.py ckpt=... data....``."""

from beatgrid.commands.calibrate import main

if __name__ == "__main__":
    main()
