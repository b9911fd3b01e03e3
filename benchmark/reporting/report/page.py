"""Puts the report together: a pure function of a profile's files."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import jinja2
import yaml
from PIL import Image

from benchmark.config.profile import Config
from benchmark.data.frames.store import FrameStore
from benchmark.evaluation.result import Result
from benchmark.experiment.layout import RunKey
from benchmark.experiment.plan import Plan
from benchmark.files.repository import REPOSITORY
from benchmark.reporting.artefacts import artefacts_of
from benchmark.reporting.made import Made, Work
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
from benchmark.reporting.sources import shown_file
from benchmark.reporting.tables.rows import collect

__all__ = ["make", "runs_behind"]

_TEMPLATES = files(__package__) / "templates"
_LARGEST_SVG_BYTES = 500_000


@dataclass(frozen=True)
class _Figure:
    """A picture, with its data to take away."""

    title: str
    picture: str
    data: str


def make(plan: Plan, name: str, work: Work) -> Made:
    """Make the page.

    Raises:
        BenchmarkError: if a result cannot be read.
    """
    del name, work
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(str(_TEMPLATES)),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    template = environment.get_template("report.html.jinja")
    return Made({"report.html": template.render(_content(plan))})


def runs_behind(plan: Plan, name: str) -> list[RunKey]:
    """Return all runs."""
    del name
    return [key for pair in plan.variants for key in plan.runs(*pair)]


def _content(plan: Plan) -> dict[str, Any]:
    config, layout = plan.config, plan.layout
    paths = {key: key.folder(layout.runs) / "result.json" for key in runs_behind(plan, "report")}
    results = {key: Result.load(path) for key, path in paths.items() if path.is_file()}
    rows = {name: collect(config, plan.methods, spec) for name, spec in plan.paper.tables.items()}
    claims, ledger = read_records(plan, "claims"), read_records(plan, "ledger")
    known = environments(results.values())
    runs = read_runs(plan, results, known)
    tables = [paper_table(plan, spec, rows[name]) for name, spec in plan.paper.tables.items()]
    charts = frontier_charts(shown_file(config, "figures/frontier.csv"), exit_series(plan))
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
            path.stem: _data_uri(config, f"tables/{path.name}")
            for path in sorted(layout.tables.glob("*.csv"))
        },
        "bibtex": bibtex(REPOSITORY / "CITATION.cff"),
        "style": (_TEMPLATES / "style.css").read_text(encoding="utf-8"),
        "behaviour": (_TEMPLATES / "behaviour.js").read_text(encoding="utf-8"),
        "datatables_style": _datatables("css"),
        "datatables": _inline(_datatables("js")),
        "vega": _inline(vega_code()),
    }


def _undecodable(plan: Plan) -> dict[str, dict[str, str]]:
    """Return what no reader could decode, which is known only since the frames were stored."""
    layout, config = plan.layout, plan.config
    folders = {name: layout.frames(config.frames_name(name)) for name in config.datasets}
    return {name: FrameStore.open(folder).failures for name, folder in folders.items()}


def _datatables(kind: str) -> str:
    """Return DataTables as itables ships it, which has no other need of a network."""
    return (files("itables") / "html" / f"dt_bundle.{kind}").read_text(encoding="utf-8")


def _inline(code: str) -> str:
    """Return code that no tag in its strings can end."""
    return code.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _data_uri(config: Config, file: str) -> str:
    path = shown_file(config, file)
    return _as_uri(path.read_bytes(), {".csv": "text/csv", ".svg": "image/svg+xml"}[path.suffix])


def _as_uri(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _picture(config: Config, name: str) -> str:
    """Return a figure as svg, or compressed where it holds photographs."""
    if shown_file(config, f"figures/{name}.svg").stat().st_size <= _LARGEST_SVG_BYTES:
        return _data_uri(config, f"figures/{name}.svg")
    compressed = io.BytesIO()
    with Image.open(shown_file(config, f"figures/{name}.png")) as picture:
        picture.convert("RGB").save(compressed, "webp", quality=85)
    return _as_uri(compressed.getvalue(), "image/webp")


def _figures(plan: Plan) -> Iterator[_Figure]:
    config = plan.config
    for artefact in artefacts_of(config):
        name, title = artefact.name, artefact.title
        if any(file.endswith(".svg") for file in artefact.files):
            number = f"Figure {name.removeprefix('figure')}. " if name in plan.paper.figures else ""
            yield _Figure(
                number + title, _picture(config, name), _data_uri(config, f"figures/{name}.csv")
            )
