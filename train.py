"""Train a beat network: ``python train.py [group=option] [key=value] [-m]``."""

from beatgrid.commands.train import main

if __name__ == "__main__":
    main()
