"""The review page: a person hears a grid, corrects it, and the correction is kept.

A small web application on this machine. What it holds and who computes what:

* **The folder of results is the truth.** ``run`` lists it by the index that runs keep
  (``beatgrid.output.index``); ``saving`` writes a reviewed result and its label, atomically.
* **The server computes every grid.** ``reviewed_grid`` is the grid that is edited, ``edits`` all
  that can be done to it, a function each; the page sends ``{"op": "nudge", "ms": 1, "at_s": 12.3}``
  and gets all beats back. No beat time is computed anywhere else: the page draws them, and plays
  clicks at them.
* **Each edit is kept at once.** ``journal`` appends it to a draft in ``.beatgrid-review`` below the
  folder. Undo and redo are lines of the journal as well, so that a closed tab, or a second one,
  finds everything. A request names the number of lines that it knows; another tab's are refused.
* **The page keeps nothing but a view**: which track is open, what stretch of it is shown, where the
  cursor is.
* ``material`` is what a track is judged by, computed when it is opened and for the next one in
  advance: the program's own decode as WAV (the page takes pieces of it by range requests and plays
  them sample by sample, clicks on the same clock), a pyramid of its waveform in three bands
  (``waveform``), and the activation of the network.
* ``finding`` runs ``beatgrid predict`` as a child process where a folder has no results yet.
* ``security`` lets requests in that carry the token of this start, from this very page; ``app``
  puts it all together, ``server`` opens a port of 127.0.0.1.

``static/`` holds the page: JavaScript modules without a build step and without any library.
"""
