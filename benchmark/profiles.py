"""Profiles as users name them: `--config profile=paper hvu_root=DIR`, here and to Snakemake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.config import Config, load_config
from benchmark.errors import BenchmarkError
from benchmark.yaml_files import parse_yaml

__all__ = ["load_profile", "overrides_of"]

_FOLDER = Path(__file__).parent.parent / "config"
_DEFAULT = "builtin"


def load_profile(given: Mapping[str, Any], *, folders_named: bool = True) -> Config:
    """Read the profile that some settings name, with the others in place of its own.

    Args:
        given: `profile`, a name in `config/` or a YAML file, and top-level settings.
        folders_named: whether the folders of the user must be named.

    Raises:
        BenchmarkError: if there is no such profile, or it or the settings have faults.
    """
    profile = str(given.get("profile", _DEFAULT))
    own_file = profile.endswith(".yaml")
    path = Path(profile) if own_file else _FOLDER / f"{profile}.yaml"
    settings = {key: value for key, value in given.items() if key != "profile"}
    return load_config(path, settings, folders_named=folders_named)


def overrides_of(pairs: Sequence[str]) -> dict[str, Any]:
    """Return settings from words of the form key=value; a value is read as YAML.

    Raises:
        BenchmarkError: for a word of another form.
    """
    found = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            fix = "write key=value, without spaces, for example profile=paper"
            raise BenchmarkError(f"'{pair}' is no setting", where="--config", fix=fix)
        if key in found:
            raise BenchmarkError(f"'{key}' is given twice", where="--config", fix="keep one")
        found[key] = parse_yaml(value, f"--config {key}") if value else ""
    return found
