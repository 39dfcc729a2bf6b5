"""beatgrid and other systems on the same audio, each in an environment and a process of its own.

- ``systems``: what can be compared; ``environments``: where each is installed.
- ``runners``: scripts that run in those environments and import nothing of this package;
  ``runner_process`` speaks with them.
- ``run``: every system on every track, resumable; ``estimates`` keeps what they answered.
- ``line``: the beatgrid that a sequence of beats describes.
- ``scores``, ``pairs``: against labels; ``agreement``: of the systems with each other.
- ``report``: all of it as plain values; ``text``, ``page``, ``plots``: for the terminal,
  Markdown, HTML.

No peer is ever imported here.
"""
