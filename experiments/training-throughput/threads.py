"""Threads or processes: what trains most on one machine?

    python experiments/training-throughput/threads.py [--steps 10] [--model tcn]

Each way runs the training step of a model on crops of noise, in as many processes at once as it
says; the first step of each process is not timed. Writes ``threads.md`` beside this script.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from beatgrid.files import write_text
from beatgrid.output.markdown import markdown_table

HERE = Path(__file__).resolve().parent
WAYS = ((1, 1), (1, 2), (2, 1), (2, 2))  # processes, threads of each
BATCH, CROP_S = 8, 16.0


def seconds_per_step(model: str, n_threads: int, n_steps: int, barrier: object) -> float:
    """Return the mean wall time of a step in this process."""
    import torch
    from hydra import compose, initialize_config_dir
    from hydra.utils import instantiate

    from beatgrid.commands.configs import CONF
    from beatgrid.commands.signatures import register

    torch.set_num_threads(n_threads)
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose("train", [f"model={model}", "output_dir=."])
    module = instantiate(cfg.model)
    network = module.network.train()
    optimizer = torch.optim.AdamW(network.parameters())
    n_frames = round(CROP_S * 44100 / 512)
    features = torch.randn(BATCH, n_frames, 128) * 20 - 40
    target, mask = torch.rand(BATCH, n_frames, 2), torch.ones(BATCH, n_frames, 2)
    for step in range(n_steps + 1):
        if step == 1:
            barrier.wait()  # type: ignore[attr-defined]
            start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16):
            logits = network(features).logits
        optimizer.zero_grad()
        module.loss(logits.float(), target, mask).backward()
        optimizer.step()
    return (time.perf_counter() - start) / n_steps


def main() -> None:
    """Time all ways in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--model", default="tcn")
    args = parser.parse_args()
    columns = ("processes", "threads of each", "seconds of audio trained per second")
    rows: list[tuple[object, ...]] = []
    for n_processes, n_threads in WAYS:
        os.environ["OMP_NUM_THREADS"] = str(n_threads)
        context = multiprocessing.get_context("spawn")
        with context.Manager() as manager:
            barrier = manager.Barrier(n_processes)
            with ProcessPoolExecutor(n_processes, context) as executor:
                jobs = [
                    executor.submit(seconds_per_step, args.model, n_threads, args.steps, barrier)
                    for _ in range(n_processes)
                ]
                speed = sum(BATCH * CROP_S / job.result() for job in jobs)
        rows.append((n_processes, n_threads, f"{speed:.0f}"))
        print(*rows[-1], flush=True)
    write_text(HERE / "threads.md", "\n".join(markdown_table(columns, rows)) + "\n")


if __name__ == "__main__":
    main()
