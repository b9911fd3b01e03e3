"""A LaTeX document of its own that shows all tables of the same folder."""

from __future__ import annotations

from benchmark.experiment.layout import RunKey
from benchmark.experiment.plan import Plan
from benchmark.reporting.made import Made, Work

__all__ = ["make", "runs_behind"]


def make(plan: Plan, name: str, work: Work) -> Made:
    """Make `tables.tex`."""
    del work
    lines = [
        r"\documentclass{article}",
        r"\usepackage[utf8]{inputenc}",
        r"\usepackage[landscape,margin=2cm]{geometry}",
        r"\usepackage{booktabs,graphicx}",
        r"\begin{document}",
        *(rf"\input{{{table}}}" for table in plan.paper.tables),
        r"\end{document}",
    ]
    return Made({f"tables/{name}.tex": "\n".join(lines) + "\n"})


def runs_behind(plan: Plan, name: str) -> list[RunKey]:
    """Return none: the tables themselves say what they were made of."""
    del plan, name
    return []
