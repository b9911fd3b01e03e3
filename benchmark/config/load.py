"""Reads profiles: by name with `--config profile=paper hvu_root=DIR`, from files, from mappings."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from benchmark.config.faults import cross_faults, explain
from benchmark.config.profile import Config
from benchmark.errors import BenchmarkError, did_you_mean, raise_all
from benchmark.files.repository import REPOSITORY
from benchmark.files.yaml import parse_yaml, place_of, read_mapping

__all__ = ["load_config", "load_profile", "overrides_of", "validate"]

_FOLDER = REPOSITORY / "config"
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


def validate(content: Mapping[str, Any], where: object, *, folders_named: bool = True) -> Config:
    """Check settings, all faults at once.

    Args:
        content: the settings.
        where: names them in messages.
        folders_named: whether the folders of the user must be named.

    Raises:
        BenchmarkError: naming each key at fault, with what was expected.
    """
    try:
        config = Config.model_validate(content)
    except ValidationError as faults:
        raise_all([explain(fault, where, Config) for fault in faults.errors()], str(where))
        raise AssertionError("pydantic reports at least one fault") from faults
    raise_all(cross_faults(config, where, folders_named=folders_named), str(where))
    return config


def load_config(
    path: Path, overrides: Mapping[str, Any] | None = None, *, folders_named: bool = True
) -> Config:
    """Read a profile's YAML file, with overrides of its top-level keys.

    A file may say `extends: NAME`, which names another file in its folder. It then has the
    top-level keys of that file where it has none of its own.

    Args:
        path: of the file.
        overrides: of its top-level keys.
        folders_named: whether the folders of the user must be named.

    Raises:
        BenchmarkError: if the file is missing, is no YAML, or holds faults.
    """
    content = _read_profile(path)
    if "extends" in content:
        content = {**_extended(path, content["extends"]), **content}
        del content["extends"]
    return validate({**content, **(overrides or {})}, path, folders_named=folders_named)


def _read_profile(path: Path) -> dict[str, Any]:
    if not os.path.exists(path):
        known = [p.stem for p in path.parent.glob("*.yaml")]
        what = f"no profile '{path.stem}'{did_you_mean(path.stem, known)}"
        raise BenchmarkError(what, where=path)
    return read_mapping(path)


def _extended(path: Path, name: object) -> dict[str, Any]:
    """Return the settings of the profile that another one extends."""
    place = place_of(path, ["extends"])
    if not isinstance(name, str) or not re.fullmatch(r"[\w-]+", name):
        what = f"extends: {name!r} is no name of a profile"
        fix = f"name a file in {path.parent} without its suffix"
        raise BenchmarkError(what, where=place, fix=fix)
    if name == path.stem:
        raise BenchmarkError("the profile extends itself", where=place, fix="name another one")
    known = [other.stem for other in path.parent.glob("*.yaml") if other != path]
    if name not in known:
        what = f"extends: no profile '{name}'{did_you_mean(name, known)}"
        raise BenchmarkError(what, where=place)
    base = _read_profile(path.with_name(f"{name}.yaml"))
    if "extends" in base:
        what = f"'{name}' extends another profile itself"
        raise BenchmarkError(what, where=place, fix="name that one")
    return base
