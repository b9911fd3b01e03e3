"""Checks of what a method costs: the audit in small, and its own trade-off."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from benchmark.checks.control import ControlRun
from benchmark.checks.subject import SEED, NotApplicableError, Subject
from benchmark.checks.world import World
from benchmark.evaluation.audit import Auditor
from benchmark.step_records import StepRecords

__all__ = ["audited_cost", "monotone_cost"]

_AUDITED = 4


def audited_cost(subject: Subject) -> list[str]:
    """No method can understate its cost: what it reports is what an independent count sees.

    Videos are replayed one at a time, by a copy of the method, with networks that run on pixels,
    one counter around the whole. What was reported of them, with stored features, must agree to
    the last MAC. Batches are the business of batch_invariance: here each video is reported alone.
    """
    faults: list[str] = []
    if subject.is_control:
        run = ControlRun(subject)
        for name in subject.manifest.variants:
            params = subject.params(name)
            auditor = Auditor(
                copy.deepcopy(run.method),
                run.world.sources(stored=False),
                _sample(run.world),
                SEED,
                run.control(params),
            )
            faults += [f"variant '{name}': {fault}" for fault in auditor.faults(run.rows(params))]
        return faults
    world = subject.world
    for name, method in subject.ready():
        rows = subject.rows(copy.deepcopy(method), world.test[:_AUDITED], batch=1)
        auditor = Auditor(method, world.sources(stored=False), _sample(world), SEED)
        faults += [f"variant '{name}': {fault}" for fault in auditor.faults(rows)]
    return faults


def _sample(world: World) -> Sequence[tuple[int, str, int]]:
    return [(place, world.ids[place], int(world.lengths[place])) for place in world.test[:_AUDITED]]


def monotone_cost(subject: Subject) -> list[str]:
    """The parameter that a method calls its trade-off does trade: the cheap value costs less.

    Trained with either value of `trade_off` in method.yaml, the mean MACs of the test videos are
    lower with the cheap one.
    """
    trade = subject.manifest.trade_off
    if trade is None:
        raise NotApplicableError("method.yaml declares no trade_off")
    cheap, expensive = (
        _mean_macs(subject, trade.param, value) for value in (trade.cheap, trade.expensive)
    )
    if cheap < expensive:
        return []
    return [
        f"a video costs {cheap:,.0f} MACs on average with {trade.param} = {trade.cheap}, "
        f"{expensive:,.0f} with {trade.expensive}: the first is declared cheap"
    ]


def _mean_macs(subject: Subject, param: str, value: int | float | str) -> float:
    params = subject.params(changes={param: value})
    rows: StepRecords
    if subject.is_control:
        rows = ControlRun(subject).rows(params)
    else:
        rows = subject.rows(subject.train(params).method, subject.world.test)
    return float(rows.macs().mean())
