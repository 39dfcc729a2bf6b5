"""See ``beatgrid.commands.modules``."""

from beatgrid.commands.modules import main

if __name__ == "__main__":
    main()
