"""The JSON schemas of what users write and read, generated from the types that check them.

They are committed, so that editors can complete a profile or a `method.yaml`, and other programs
can read results; a test fails when they drift from the types.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from pydantic import BaseModel

from benchmark.config.profile import Config
from benchmark.evaluation.result import Result
from benchmark.files.repository import REPOSITORY
from benchmark.files.writing import write_text
from benchmark.methods.manifest import MethodManifest

__all__ = ["FOLDER", "add_arguments", "run", "schema_texts"]

FOLDER = REPOSITORY / "workflow" / "schemas"
_MODELS: dict[str, type[BaseModel]] = {
    "config": Config,
    "method": MethodManifest,
    "result": Result,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--folder", type=Path, default=FOLDER, help="default: workflow/schemas")


def run(args: argparse.Namespace) -> int:
    """Write all schemas into a folder, and print their paths."""
    for name, text in schema_texts().items():
        write_text(args.folder / name, text)
        print(args.folder / name)
    return 0


def schema_texts() -> dict[str, str]:
    """Return the text of each schema by its file name."""
    texts = {}
    for name, model in _MODELS.items():
        schema = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **model.model_json_schema(mode="serialization" if model is Result else "validation"),
        }
        if model is Config:  # a file may leave to another what it does not say itself
            extends = {"type": "string", "description": "a profile whose other keys these are"}
            schema["properties"]["extends"] = extends
            schema["if"] = {"required": ["extends"]}
            schema["else"] = {"required": schema.pop("required")}
        if model is Result:  # see benchmark.files.sealed
            seal = {"type": "string", "description": "SHA-256 of all else that the file says"}
            schema["properties"]["seal"] = seal
        texts[f"{name}.schema.json"] = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
    return texts
