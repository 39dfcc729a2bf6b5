"""beatgrid and other systems on the same audio, each in an environment and a process of its own.

- ``systems``: what can be compared; ``environments``: where each is installed.
- ``runners``: scripts that run in those environments and import nothing of this package;
  ``runner_process`` speaks with them.
- ``run``: every system on every track, resumable; ``estimates`` keeps what they answered.
- ``scores``: against labels, beats by the line through them (``beatgrid.search.beat_line``);
  ``agreement``: of the systems with each other.
- ``summary`` makes a ``report`` of it, plain values; ``tables``, ``plots``: shown; ``text``,
  ``page``: in the terminal, in Markdown, in HTML.

No peer is ever imported here.
"""
