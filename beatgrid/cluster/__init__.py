"""Many machines at one library: shares of the files for a batch system, and a Ray cluster.

- ``shard``: which files belong to which share.
- ``shards``: the runs over the shares of one folder of results, and what joins them.
- ``ray_jobs``: jobs on the machines of a Ray cluster.
"""
