"""Hear grids and correct them in a browser: ``python review.py <folder of results or music>``."""

from beatgrid.commands.review import main

if __name__ == "__main__":
    main()
