"""Music made by machine, with grids that are known exactly: generator, renderers, corpus folders.

``generator`` is the package's own (numpy and scipy only); ``sources`` are all that the corpus
command renders, other programs' music among them; ``store`` writes folders of rendered features,
which ``beatgrid.data.rendered`` reads.
"""
