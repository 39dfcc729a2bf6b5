"""Music made by machine, with grids that are known exactly.

``generator`` is the package's own (numpy and scipy only); ``sources`` are all that can be
rendered, other programs' music among them; ``store`` writes folders of rendered features, which
``beatgrid.data.rendered`` reads; ``tracker_modules`` writes a test set of tracker modules.
"""
