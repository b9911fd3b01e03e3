"""Puts the report together: a pure function of a profile's files."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import yaml
from PIL import Image

from benchmark.data.frames.store import FrameStore
from benchmark.evaluation.result import Result
from benchmark.experiment.layout import Layout, RunKey
from benchmark.experiment.plan import Plan
from benchmark.files.repository import REPOSITORY
from benchmark.files.writing import write_text
from benchmark.reporting.report.absences import absences
from benchmark.reporting.report.chart import frontier_charts, vega_code
from benchmark.reporting.report.citation import bibtex
from benchmark.reporting.report.paper_tables import paper_table
from benchmark.reporting.report.run_list import environments, index_of_runs, read_runs, spelled_time
from benchmark.reporting.report.sections import (
    claims_document,
    exit_series,
    frontier_document,
    further_documents,
    ledger_document,
    read_records,
)
from benchmark.reporting.report.summary import summary
from benchmark.reporting.sources import result_files, shown_file, write_sources
from benchmark.reporting.tables.rows import collect

__all__ = ["report_keys", "report_texts", "write_report"]

_TEMPLATES = files(__package__) / "templates"
_FURTHER_FIGURES = {
    "exits": "Where videos exit: each method that stops early, on every dataset",
    "strip": "What a method saw of a few videos, and where it stopped",
    "frontier": "The frontier of each exit rule",
}
_LARGEST_SVG_BYTES = 500_000
_ROOT = REPOSITORY


@dataclass(frozen=True)
class _Figure:
    """A picture, with its data to take away."""

    title: str
    picture: str
    data: str


def write_report(plan: Plan, path: Path) -> None:
    """Write the report, and what it was made of.

    Raises:
        BenchmarkError: if a result cannot be read.
    """
    for name, text in report_texts(plan).items():
        write_text(path.with_name(name), text)
    write_sources(plan.config, path.parent, path.stem, result_files(plan.config, report_keys(plan)))


def report_keys(plan: Plan) -> list[RunKey]:
    """Return the runs behind the report: all."""
    return [key for pair in plan.variants for key in plan.runs(*pair)]


def report_texts(plan: Plan) -> dict[str, str]:
    """Return the text of the report, by the name of its file."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(str(_TEMPLATES)),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return {"report.html": environment.get_template("report.html.jinja").render(_content(plan))}


def _content(plan: Plan) -> dict[str, Any]:
    config, layout = plan.config, Layout.of(plan.config)
    paths = {key: key.folder(layout.runs) / "result.json" for key in report_keys(plan)}
    results = {key: Result.load(path) for key, path in paths.items() if path.is_file()}
    rows = {name: collect(config, plan.methods, spec) for name, spec in plan.paper.tables.items()}
    claims, ledger = read_records(plan, "claims"), read_records(plan, "ledger")
    known = environments(results.values())
    runs = read_runs(plan, results, known)
    tables = [paper_table(plan, spec, rows[name]) for name, spec in plan.paper.tables.items()]
    charts = frontier_charts(shown_file(layout.figures, "frontier", "csv"), exit_series(plan))
    every_row = [row for part in rows.values() for row in part]
    return {
        "config": config,
        "settings": yaml.safe_dump(
            config.model_dump(mode="json", exclude={"results"}), sort_keys=False
        ),
        "finished": max(map(spelled_time, results.values()), default="none"),
        "summary": summary(plan, results, rows["table1"], claims),
        "claims": claims_document(plan, claims),
        "tables": tables,
        "further": further_documents(plan),
        "figures": list(_figures(plan)),
        "frontier": frontier_document(plan),
        "charts": {name: _inline(json.dumps(chart)) for name, chart in charts.items()},
        "ledger": ledger_document(plan, ledger),
        "absences": absences(
            plan, results, every_row, claims, ledger, undecodable=_undecodable(plan)
        ),
        "index": index_of_runs(runs),
        "runs": runs,
        "environments": known,
        "csv_of": {
            path.stem: _data_uri(layout.tables, path.stem, "csv")
            for path in sorted(layout.tables.glob("*.csv"))
        },
        "bibtex": bibtex(_ROOT / "CITATION.cff"),
        "style": (_TEMPLATES / "style.css").read_text(encoding="utf-8"),
        "behaviour": (_TEMPLATES / "behaviour.js").read_text(encoding="utf-8"),
        "datatables_style": _datatables("css"),
        "datatables": _inline(_datatables("js")),
        "vega": _inline(vega_code()),
    }


def _undecodable(plan: Plan) -> dict[str, dict[str, str]]:
    """Return what no reader could decode, which is known only since the frames were stored."""
    layout, config = Layout.of(plan.config), plan.config
    folders = {name: layout.frames(config.frames_name(name)) for name in config.datasets}
    return {name: FrameStore.open(folder).failures for name, folder in folders.items()}


def _datatables(kind: str) -> str:
    """Return DataTables as itables ships it, which has no other need of a network."""
    return (files("itables") / "html" / f"dt_bundle.{kind}").read_text(encoding="utf-8")


def _inline(code: str) -> str:
    """Return code that no tag in its strings can end."""
    return code.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _data_uri(folder: Path, name: str, kind: str) -> str:
    content = shown_file(folder, name, kind).read_bytes()
    return _as_uri(content, {"csv": "text/csv", "svg": "image/svg+xml"}[kind])


def _as_uri(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _picture(folder: Path, name: str) -> str:
    """Return a figure as svg, or compressed where it holds photographs."""
    if (folder / f"{name}.svg").stat().st_size <= _LARGEST_SVG_BYTES:
        return _data_uri(folder, name, "svg")
    compressed = io.BytesIO()
    with Image.open(shown_file(folder, name, "png")) as picture:
        picture.convert("RGB").save(compressed, "webp", quality=85)
    return _as_uri(compressed.getvalue(), "image/webp")


def _figures(plan: Plan) -> Iterator[_Figure]:
    folder = Layout.of(plan.config).figures
    titles = {
        name: f"Figure {name.removeprefix('figure')}. {spec.title}"
        for name, spec in plan.paper.figures.items()
    }
    for name, title in {**titles, **_FURTHER_FIGURES}.items():
        yield _Figure(title, _picture(folder, name), _data_uri(folder, name, "csv"))
