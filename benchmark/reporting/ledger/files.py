"""The ledger as csv, one line a number, and as markdown, with a summary and a table a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from benchmark.config.profile import Config
from benchmark.cost.literature.row import AGREES_WITHIN
from benchmark.experiment.layout import RunKey
from benchmark.experiment.paper import load_paper
from benchmark.experiment.plan import Plan
from benchmark.experiment.shown_runs import result_files, shown_keys
from benchmark.reporting.ledger.lines import (
    COST_AFTER_TRAINING,
    POINTS,
    STATUSES,
    LedgerLine,
    ledger_lines,
)
from benchmark.reporting.ledger.runs import Filler, other_fillers
from benchmark.reporting.made import Made, Work
from benchmark.reporting.tables.formats import Value, to_csv, to_list

__all__ = ["ledger_texts", "make", "runs_behind"]


def make(plan: Plan, name: str, work: Work) -> Made:
    """Make `ledger.csv` and `ledger.md`.

    Raises:
        BenchmarkError: if a result cannot be read.
    """
    del name, work
    others = [
        path
        for other in other_fillers(plan.config)
        for path in result_files(other.config, _keys(other))
    ]
    texts = {f"tables/{file}": text for file, text in ledger_texts(plan).items()}
    return Made(texts, made_of=tuple(others))


def runs_behind(plan: Plan, name: str) -> list[RunKey]:
    """Return the profile's own runs behind the ledger."""
    del name
    return _keys(Filler.of(plan))


def ledger_texts(plan: Plan) -> dict[str, str]:
    """Return the text of both files, by name."""
    lines = ledger_lines(Filler.of(plan), other_fillers(plan.config))
    return {
        "ledger.csv": to_csv([asdict(line) for line in lines]),
        "ledger.md": _markdown(plan.config, lines),
    }


def _keys(filler: Filler) -> list[RunKey]:
    keys = {
        key: None
        for name, spec in load_paper().tables.items()
        for key in shown_keys(filler.config, filler.methods, name, spec.roles)
    }
    return list(keys)


def _markdown(config: Config, lines: Sequence[LedgerLine]) -> str:
    parts = ["### The paper's numbers and ours", "", _summary(lines), "", *_caption(config), ""]
    for name, spec in load_paper().tables.items():
        records = [_record(line) for line in lines if line.table == name]
        number = name.removeprefix("table")
        parts.append(to_list(f"#### Table {number}. {spec.title}", records, decimals=1))
    return "\n".join(parts)


def _summary(lines: Sequence[LedgerLine]) -> str:
    def said(quantity: str) -> str:
        own = [line.status for line in lines if line.quantity == quantity]
        counts = Counter(own)
        each = ", ".join(f"{counts[status]} {status}" for status in STATUSES if counts[status])
        return f"{len(own)} {'accuracies' if quantity == 'accuracy' else 'costs'}: {each}."

    return f"**{len(lines)} numbers.** {said('accuracy')} {said('GFLOPs')}"


def _caption(config: Config) -> list[str]:
    meanings = "; ".join(f"*{status}*: {meaning}" for status, meaning in STATUSES.items())
    return [
        f"{meanings}.",
        "",
        f"Tolerance: {POINTS:g} point of accuracy, since the paper's own runs scatter by up to 0.9 "
        "(Table 3), or twice the deviation that it prints; "
        f"{100 * AGREES_WITHIN:g} % of a cost that needs no training, for what counters make of "
        f"norms and pooling; {100 * COST_AFTER_TRAINING:g} % of a measured cost with learned "
        "decisions, for that and twice the 1.5 % by which Table 3's costs scatter.",
        "",
        "An accuracy is ours where a profile says of its dataset that it is the paper's "
        "(`paper_dataset`) and has the paper's backbone, trained to completion; the csv "
        "names it, and what a cost was computed from. GFLOPs are for a "
        "video, 10^9 multiply-accumulates, counted from networks without weights.",
        "",
        f"Last column: what profile `{config.profile}` measured for the same row; "
        f"{config.description.strip().rstrip('.')}.",
    ]


def _record(line: LedgerLine) -> Mapping[str, Value]:
    decimals = 1 if line.quantity == "accuracy" or line.paper >= 1 else 2

    def number(value: float | None, sign: str = "") -> str:
        # Adding zero turns -0.0 into 0.0.
        return "" if value is None else f"{round(value, decimals) + 0.0:{sign}.{decimals}f}"

    std = "" if line.paper_std is None else f" ± {line.paper_std:g}"
    reasons = [line.reason, f"awaits profile {line.fills}" if line.status == "not run" else ""]
    said = "; ".join(filter(None, reasons))
    status = line.status + (f": {said}" if said else "")
    here = "" if line.here is None else f"{line.here:.3g}"
    return {
        "row": f"{line.label}, {line.backbone}",
        "number": f"{line.dataset} {_UNITS[line.quantity, line.dataset]}",
        "paper": number(line.paper) + std,
        "ours": number(line.ours),
        "difference": number(line.difference, "+"),
        "tolerance": number(line.tolerance),
        "status": status,
        "here": f"{here} ({line.here_label})" if here else "",
    }


_UNITS = {
    **{("GFLOPs", name): "GFLOPs" for name in ("ActivityNet", "Mini-Kinetics", "HVU")},
    ("accuracy", "ActivityNet"): "mAP",
    ("accuracy", "Mini-Kinetics"): "top-1",
    ("accuracy", "HVU"): "mAP",
}
