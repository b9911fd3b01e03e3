"""The JSON schemas of what users write and read, generated from the types that check them.

They are committed, so that editors can complete a profile or a `method.yaml`, and other programs
can read results; a test fails when they drift from the types.
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel

from benchmark.config import Config
from benchmark.evaluation.result import Result
from benchmark.files import write_text
from benchmark.method_manifest import MethodManifest

__all__ = ["FOLDER", "schema_texts", "write_schemas"]

FOLDER = Path(__file__).parent.parent / "workflow" / "schemas"
_MODELS: dict[str, type[BaseModel]] = {
    "config": Config,
    "method": MethodManifest,
    "result": Result,
}


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
        if model is Result:  # see benchmark.sealed
            seal = {"type": "string", "description": "SHA-256 of all else that the file says"}
            schema["properties"]["seal"] = seal
        texts[f"{name}.schema.json"] = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
    return texts


def write_schemas(folder: Path | None = None) -> list[Path]:
    """Write all schemas into a folder, by default the repository's, and return their paths."""
    paths = []
    for name, text in schema_texts().items():
        paths.append((folder or FOLDER) / name)
        write_text(paths[-1], text)
    return paths
