"""``hydra/launcher=ray``: the runs of a sweep on the machines of a Ray cluster.

Hydra takes launchers from this namespace package alone, which has no ``__init__.py`` and is
imported with every command (https://hydra.cc/docs/1.3/advanced/plugins/develop): what takes long
to import is imported where it is used. Hydra's own ``hydra-ray-launcher`` wants Ray 1.12.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.singleton import Singleton
from hydra.core.utils import (
    JobReturn,
    JobStatus,
    configure_log,
    filter_overrides,
    run_job,
    setup_globals,
)
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict

from beatgrid.checks import NotNegative, checked

if TYPE_CHECKING:
    from beatgrid.cluster.ray_jobs import Workplace

logger = logging.getLogger(__name__)

_ASKED = "hydra/launcher=ray"


class RayLauncher(Launcher):
    """Starts each run where the cluster has room for it, and waits for all.

    The cluster is that of ``RAY_ADDRESS``, or the one that this machine belongs to; without any,
    Ray runs on this machine alone. A run whose machine is lost has failed: it is not begun again.

    Args:
        num_cpus: Cores that each run takes.
        num_gpus: GPUs that each run takes; it sees no others.

    Raises:
        BeatgridError: One of them is no number from 0.
    """

    config: DictConfig
    hydra_context: HydraContext
    task_function: TaskFunction

    @checked
    def __init__(self, num_cpus: NotNegative, num_gpus: NotNegative) -> None:
        self.needs = {"CPU": num_cpus, "GPU": num_gpus}

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Take what all runs have in common."""
        self.hydra_context, self.task_function = hydra_context, task_function
        self.config = config

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Do the runs; return what each returned or raised, in order.

        Args:
            job_overrides: The command line of each run.
            initial_job_idx: Number of the first.

        Raises:
            BeatgridError: No cluster, or none that has what a run needs.
        """
        from beatgrid.cluster.ray_jobs import Workplace, cluster
        from beatgrid.errors import BeatgridError

        setup_globals()
        configure_log(self.config.hydra.hydra_logging, self.config.hydra.verbose)
        folder = Path(str(self.config.hydra.sweep.dir))
        folder.mkdir(parents=True, exist_ok=True)
        workplace = Workplace(os.getcwd(), os.path.abspath(folder), asked=_ASKED)
        with cluster(_ASKED) as ray:
            for kind, needed in self.needs.items():
                there = ray.cluster_resources().get(kind, 0)
                if needed > there:
                    raise BeatgridError(
                        f"hydra.launcher.num_{kind.lower()}s={needed:g}: the Ray cluster has "
                        f"{there:g}"
                    )
            run = ray.remote(num_cpus=self.needs["CPU"], num_gpus=self.needs["GPU"], max_retries=0)(
                _run
            )
            logger.info("Launching %d jobs on Ray, output dir: %s", len(job_overrides), folder)
            common = ray.put(
                (self.hydra_context, self.config, self.task_function, Singleton.get_state())
            )
            started = []
            for index, overrides in enumerate(job_overrides, initial_job_idx):
                logger.info("\t#%d : %s", index, " ".join(filter_overrides(overrides)))
                started.append(run.remote(workplace, common, list(overrides), index))
            done = []
            for answer, overrides in zip(started, job_overrides, strict=True):
                try:
                    done.append(ray.get(answer))
                except ray.exceptions.RayTaskError as error:
                    done.append(_failed(overrides, error.cause))
                except ray.exceptions.RayError as error:
                    reason = str(error).strip().splitlines()[0]
                    lost = BeatgridError(f"{_ASKED}: {' '.join(overrides)}: {reason}")
                    done.append(_failed(overrides, lost))
            return done


def _run(
    workplace: Workplace,
    common: tuple[HydraContext, DictConfig, TaskFunction, Mapping[Any, Any]],
    overrides: Sequence[str],
    index: int,
) -> JobReturn:
    """Do one run, on some machine."""
    workplace.enter()
    hydra_context, config, task_function, singletons = common
    setup_globals()
    Singleton.set_state(singletons)
    sweep_config = hydra_context.config_loader.load_sweep_config(config, list(overrides))
    with open_dict(sweep_config):
        sweep_config.hydra.job.id = f"{sweep_config.hydra.job.name}_{index}"
        sweep_config.hydra.job.num = index
    HydraConfig.instance().set_config(sweep_config)
    return run_job(
        task_function=task_function,
        config=sweep_config,
        job_dir_key="hydra.sweep.dir",
        job_subdir_key="hydra.sweep.subdir",
        hydra_context=hydra_context,
    )


def _failed(overrides: Sequence[str], error: Exception) -> JobReturn:
    job = JobReturn(overrides=list(overrides), status=JobStatus.FAILED)
    job.return_value = error
    return job
