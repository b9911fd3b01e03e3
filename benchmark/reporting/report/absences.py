"""What is not in the tables: rows without a number, videos left out, claims that do not apply."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from benchmark.data.manifest.of_dataset import manifest_of
from benchmark.data.manifest.report import absent_classes
from benchmark.evaluation.result import Result
from benchmark.experiment.layout import RunKey
from benchmark.experiment.plan import Plan
from benchmark.reporting.report.html_table import Cell, HtmlTable
from benchmark.reporting.report.run_list import anchor
from benchmark.reporting.tables.measurements import MEASURED
from benchmark.reporting.tables.rows import TableRow

__all__ = ["absences"]

# Of a long list of videos, so many are named; the manifest names all.
_NUM_NAMED = 20
_Line = tuple[str, str, str, str]  # kind, what, why, where a click leads
_AUDIT = "AUDIT FAILED"


def absences(
    plan: Plan,
    results: Mapping[RunKey, Result],
    rows: Iterable[TableRow],
    claims: Sequence[Mapping[str, str]],
    ledger: Sequence[Mapping[str, str]],
    *,
    undecodable: Mapping[str, Mapping[str, str]],
) -> HtmlTable:
    """Return a line for each thing that a reader might miss, what is broken first.

    Args:
        plan: the profile's.
        results: by run.
        rows: of all tables.
        claims: the lines of the claims' csv.
        ledger: the lines of the ledger's csv.
        undecodable: by dataset, the reason by the id of each video that no reader could decode.
    """
    lines = [
        *_broken_runs(plan, results),
        *_failed_audits(results),
        *_videos(plan, undecodable),
        *_rows(rows),
        *_claims(claims),
        *_ledger(ledger),
    ]
    heads = ("kind", "what", "why")
    return HtmlTable(
        heads, tuple((Cell(kind), Cell(what, link), Cell(why)) for kind, what, why, link in lines)
    )


def _broken_runs(plan: Plan, results: Mapping[RunKey, Result]) -> Iterator[_Line]:
    for dataset, method in plan.variants:
        for key in plan.runs(dataset, method):
            result = results.get(key)
            what = f"{dataset}/{method}/{key.variant}, seed {key.seed}"
            link = f"#{anchor(dataset, method, key.variant)}"
            if result is None:
                yield "run without a result", what, "its job died or has not run", link
            elif result.status != "ok":
                yield f"{result.status} run", what, result.reason, link


def _failed_audits(results: Mapping[RunKey, Result]) -> Iterator[_Line]:
    said = {
        (key.dataset, key.method, key.variant): label
        for key, result in results.items()
        for label in result.labels
        if label.startswith(_AUDIT)
    }
    for names, label in said.items():
        yield "failed audit", "/".join(names), label, f"#{anchor(*names)}"


def _videos(plan: Plan, undecodable: Mapping[str, Mapping[str, str]]) -> Iterator[_Line]:
    for dataset in plan.config.datasets:
        manifest = manifest_of(plan.config, dataset)
        for sentence in absent_classes(manifest):
            yield "classes without videos", dataset, sentence, ""
        rows = manifest.rows
        absent = rows[rows["status"] != "ok"]
        for status, group in absent.groupby("status", sort=True):
            named = group["video_id"].tolist()[:_NUM_NAMED]
            more = f" and {len(group) - len(named)} more" if len(group) > len(named) else ""
            reasons = sorted({str(reason) for reason in group["reason"]} - {""})
            why = "; ".join(reasons[:_NUM_NAMED])
            yield f"{status} videos", f"{dataset}: {', '.join(named)}{more}", why, ""
        for video, reason in undecodable.get(dataset, {}).items():
            yield "unreadable videos", f"{dataset}: {video}", reason, ""


def _rows(rows: Iterable[TableRow]) -> Iterator[_Line]:
    """Yield the rows without a number, those of a table and with a reason together."""
    by_reason: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for row in rows:
        if row.status != MEASURED:
            beside = row.dataset or row.role
            by_reason[row.table, beside, row.status].append(f"{row.label} ({row.group})")
    for (table, dataset, status), labels in by_reason.items():
        number = table.removeprefix("table")
        yield "row without a number", f"Table {number}, {dataset}: {', '.join(labels)}", status, ""


def _claims(claims: Iterable[Mapping[str, str]]) -> Iterator[_Line]:
    for line in claims:
        if line["verdict"] == "not applicable":
            yield "claim not tested", f"{line['claim']}: {line['sentence']}", line["reason"], ""


def _ledger(ledger: Sequence[Mapping[str, str]]) -> Iterator[_Line]:
    waiting: dict[str, int] = defaultdict(int)
    for line in ledger:
        if line["status"] == "not run":
            waiting[line["fills"]] += 1
    for profile, number in waiting.items():
        yield "numbers of the paper", f"{number} of {len(ledger)}", f"await profile {profile}", ""
