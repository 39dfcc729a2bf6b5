"""The command line: the only home of Hydra."""

import gc

# Importing torch and composing a configuration make a million objects, nearly all of which stay:
# looking for cycles among them each time that 700 are new takes an eighth of a second.
gc.set_threshold(50_000, 10, 10)
