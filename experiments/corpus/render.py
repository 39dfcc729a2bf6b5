"""See ``beatgrid.commands.render``."""

from beatgrid.commands.render import main

if __name__ == "__main__":
    main()
