"""The command line: the only home of Hydra."""
