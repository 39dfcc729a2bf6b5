"""Find beatgrids: ``python predict.py audio=<file | folder | glob | [list]> [ckpt=...]``."""

from beatgrid.commands.predict import main

if __name__ == "__main__":
    main()
