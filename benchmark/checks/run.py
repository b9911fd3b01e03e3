"""Runs the checks on a method and says how each of them ended."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmark.checks import costs, definition, device, isolation, learning, prediction
from benchmark.checks.subject import NotApplicableError, Subject
from benchmark.errors import explained
from benchmark.methods.check_names import CHECK_NAMES, CheckName
from benchmark.methods.discovery import MethodFolder

__all__ = ["CHECKS", "Outcome", "check_method", "explanation"]

Check = Callable[[Subject], list[str]]
"""Returns a sentence for each fault; the docstring's first line says what it protects."""

CHECKS: Mapping[CheckName, Check] = {
    "manifest": definition.manifest,
    "import": isolation.clean_import,
    "build": definition.build,
    "fit": learning.fit_falls,
    "checkpoint": learning.checkpoint,
    "seed": learning.same_seed,
    "batch_invariance": prediction.batch_invariance,
    "device": device.same_on_other_device,
    "no_look_ahead": prediction.no_look_ahead,
    "no_label_leak": prediction.no_label_leak,
    "no_files": isolation.no_files,
    "audited_cost": costs.audited_cost,
    "monotone_cost": costs.monotone_cost,
    "frames_opened": prediction.frames_opened,
}
_FAULTS_SAID = 3


@dataclass(frozen=True)
class Outcome:
    """How a check of a method ended, and why."""

    check: CheckName
    status: Literal["passed", "FAILED", "expected to fail", "not applicable"]
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.status}: {self.reason}" if self.reason else self.status


def check_method(
    folder: MethodFolder, methods: Mapping[str, MethodFolder], together: Sequence[str] = ()
) -> Iterator[Outcome]:
    """Run all checks on a method, in order.

    Args:
        folder: the method's.
        methods: all methods by name. The code of one that nobody named does not run.
        together: names of the methods that are checked with it; it is quicker to know them.
    """
    subject = Subject(folder, methods, together)
    for name in CHECK_NAMES:
        yield _outcome(name, subject)


def explanation(check: CheckName) -> str:
    """Return what a check protects, in a sentence."""
    return (inspect.getdoc(CHECKS[check]) or "").splitlines()[0]


def _outcome(name: CheckName, subject: Subject) -> Outcome:
    expected = subject.manifest.expected_failed_checks.get(name)
    remedy = "take it from expected_failed_checks in method.yaml"
    try:
        faults = CHECKS[name](subject)
    except NotApplicableError as reason:
        if expected is not None:
            return Outcome(name, "FAILED", f"is expected to fail and makes no sense here: {remedy}")
        return Outcome(name, "not applicable", str(reason))
    except Exception as fault:
        return Outcome(name, "FAILED", f"could not run: {explained(fault)}")
    if expected is not None:
        if faults:
            return Outcome(name, "expected to fail", expected)
        return Outcome(name, "FAILED", f"is expected to fail ({expected}) and passes: {remedy}")
    more = len(faults) - _FAULTS_SAID
    said = [*faults[:_FAULTS_SAID], *([f"and {more} more"] if more > 0 else [])]
    return Outcome(name, "FAILED", "; ".join(said)) if faults else Outcome(name, "passed")
