"""What a library costs on a cluster, and what limits it: arithmetic on stated assumptions.

    python experiments/scaling/cost.py

prints the table of README.md. The rates of a core are measured (``run.py`` here and
``experiments/speed``); those of storage and network are the reader's to replace.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from beatgrid.output.markdown import markdown_table


@dataclass(frozen=True)
class Library:
    """What is to be analysed.

    Attributes:
        n_tracks: Files.
        minutes: Length of one, on average.
        megabytes: Size of one.
    """

    n_tracks: int = 1_000_000
    minutes: float = 4.0
    megabytes: float = 8.0  # MP3 of 256 kbit/s


@dataclass(frozen=True)
class Cluster:
    """What it is analysed on.

    Attributes:
        n_machines: That share the work.
        cores: Of each.
        core_s_per_minute: Processor seconds of a core for a minute of audio: decoding, features,
            network, search, writing.
        core_s_per_track: The same, whatever a track's length.
        start_s: Until a worker takes its first file.
        storage_mb_s: What the shared file system delivers to all machines together.
        machine_mb_s: What one machine's network takes in.
        walk_files_s: Names that one machine lists in a second.
        files_s: Results that the shared file system takes in a second from all machines, each of
            them written to disk, renamed, and noted in an index.
        merge_rows_s: Records that the merge moves in a second.
        efficiency: Speed of a core beside busy neighbours, as a share of that of a core alone.
    """

    n_machines: int = 16
    cores: int = 16
    core_s_per_minute: float = 0.50
    core_s_per_track: float = 0.05
    start_s: float = 5.0
    storage_mb_s: float = 1000.0
    machine_mb_s: float = 1200.0  # 10 Gbit/s
    walk_files_s: float = 5000.0
    files_s: float = 2000.0
    merge_rows_s: float = 2000.0
    efficiency: float = 0.8


@dataclass(frozen=True)
class Cost:
    """What that comes to.

    Attributes:
        hours: From the first command to the merged summary.
        core_hours: Processor time.
        steps_h: Hours of what must come one after the other: walk, work, merge.
        limits_h: Hours that the work would take by each limit alone; the longest counts.
        limit: Its name.
    """

    hours: float
    core_hours: float
    steps_h: dict[str, float]
    limits_h: dict[str, float]
    limit: str


def cost(library: Library, cluster: Cluster, engine: str = "shards") -> Cost:
    """Return what a library costs on a cluster.

    With shards each machine reads its own files once: hash and decoder find the same pages in
    memory. With ``workers=ray`` the machine of the command reads every file for its hash, and the
    machine that analyses it reads it again.

    Args:
        library: The files.
        cluster: The machines.
        engine: ``shards`` or ``ray``.

    Raises:
        ValueError: Another engine.
    """
    if engine not in ("shards", "ray"):
        raise ValueError(f"engine={engine}: must be shards or ray")
    n, machines = library.n_tracks, cluster.n_machines
    core_s = n * (library.minutes * cluster.core_s_per_minute + cluster.core_s_per_track)
    megabytes = n * library.megabytes
    readings = 2 if engine == "ray" else 1
    limits_s = {
        "processors": core_s / (machines * cluster.cores * cluster.efficiency),
        "storage": readings * megabytes / cluster.storage_mb_s,
        "network of a machine": megabytes / machines / cluster.machine_mb_s,
        "results": n / cluster.files_s,
    }
    if engine == "ray":
        limits_s["network of the first machine"] = megabytes / cluster.machine_mb_s
    limit = max(limits_s, key=lambda name: limits_s[name])
    steps_s = {
        # Every shard lists all names, at the same time as the others.
        "walk": n / cluster.walk_files_s + cluster.start_s,
        "work": limits_s[limit],
        "merge": n / cluster.merge_rows_s if engine == "shards" else 0.0,
    }
    hours = {name: seconds / 3600 for name, seconds in steps_s.items()}
    return Cost(
        hours=sum(hours.values()),
        core_hours=core_s / 3600,
        steps_h=hours,
        limits_h={name: seconds / 3600 for name, seconds in limits_s.items()},
        limit=limit,
    )


def table(library: Library, cluster: Cluster) -> list[str]:
    """Return a million tracks on more and more machines, as lines of Markdown."""
    rows = []
    for engine in ("shards", "ray"):
        for n_machines in (1, 4, 16, 64):
            found = cost(library, replace(cluster, n_machines=n_machines), engine)
            rows.append(
                (
                    engine,
                    str(n_machines),
                    str(n_machines * cluster.cores),
                    f"{found.hours:.1f}",
                    f"{found.core_hours:.0f}",
                    found.limit,
                )
            )
    return markdown_table(("engine", "machines", "cores", "hours", "core hours", "limit"), rows)


if __name__ == "__main__":
    print("\n".join(table(Library(), Cluster())))
