"""How to cite the software and the paper, from `CITATION.cff`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmark.files.yaml import read_mapping

__all__ = ["bibtex"]

_KINDS = {"software": "software", "conference-paper": "inproceedings"}
_FIELDS = {"title": "title", "version": "version", "year": "year",
           "collection-title": "booktitle", "url": "url", "license": "license"}  # fmt: skip


def bibtex(citation: Path) -> str:
    """Return BibTeX entries of the software and of what it refers to."""
    content = read_mapping(citation)
    return "\n\n".join(_entry(work) for work in (content, *content.get("references", [])))


def _entry(work: Mapping[str, Any]) -> str:
    authors = " and ".join(_author(author) for author in work["authors"])
    fields = {"author": authors, **{b: work[f] for f, b in _FIELDS.items() if f in work}}
    first = re.sub(r"\W+", "", work["title"].split(":")[0]).lower()
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items()]
    kind = _KINDS.get(work["type"], "misc")
    return "\n".join([f"@{kind}{{{first}{work.get('year', '')},", *lines, "}"])


def _author(author: Mapping[str, str]) -> str:
    if "name" in author:
        return f"{{{author['name']}}}"
    return f"{author['family-names']}, {author['given-names']}"
