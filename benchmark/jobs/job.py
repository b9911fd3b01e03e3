"""One job of the workflow."""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.config.profile import Config
from benchmark.experiment.layout import Layout
from benchmark.experiment.plan import Plan, make_plan
from benchmark.progress import JobLog

__all__ = ["Job", "bind_threads"]


@dataclass(frozen=True)
class Job:
    """One job as the workflow asked for it.

    Attributes:
        config: the resolved settings.
        dataset: wildcards, empty where the stage has none.
        seeds: of this job; all of the profile where the stage has no seeds.
        threads: how many the job may use.
        part: of the jobs that decode a dataset.
    """

    config: Config
    log: JobLog
    dataset: str = ""
    method: str = ""
    item: str = ""
    seeds: tuple[int, ...] = ()
    threads: int = 1
    part: int = 0

    @property
    def layout(self) -> Layout:
        """Where the profile's files lie."""
        return Layout.of(self.config)

    def plan(self) -> Plan:
        """Return what the profile runs."""
        return make_plan(self.config)


def bind_threads(threads: int) -> None:
    """Let torch use so many threads, and only operations that repeat to the bit."""
    import torch  # noqa: PLC0415

    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    torch.use_deterministic_algorithms(True)
