"""`method.yaml`: what a method says of itself, and where tables show it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError

from benchmark.config.names import Name, PlainName, name_rule
from benchmark.config.strict import Strict
from benchmark.errors import BenchmarkError, did_you_mean
from benchmark.files.yaml import place_of, read_mapping
from benchmark.methods.check_names import CHECK_NAMES, CheckName

__all__ = ["MethodManifest", "Variant", "read_method_manifest"]


class Paper(Strict):
    """Where a method was published."""

    title: str
    year: int
    link: str


class Source(Strict):
    """The run whose stored steps an exit control re-reads."""

    method: str
    variant: str = "default"
    train_steps: bool = Field(False, description="also needs the steps on training videos")
    budget: str | None = Field(None, description="a variant whose mean exit step it is told")


Networks = Annotated[
    tuple[str, ...], Field(min_length=1, description="roles of the networks that it asks for")
]


class Reported(Strict):
    """A number that the method's own source prints."""

    where: str = Field(description="such as 'Table 2, ActivityNet mAP'")
    percent: float
    gflops: float | None = Field(None, description="10^9 MACs a video")


class Variant(Strict):
    """A setting of a method's parameters, and where it is shown."""

    label: str = Field(description="what a table calls it")
    params: dict[str, Any] = Field({})
    networks: Networks | None = Field(None, description="if other than the method's")
    released: bool = Field(
        False, description="its weights are not trained but a file that the profile names"
    )
    shown_in: dict[str, str] = Field(
        {}, description="table or figure -> row; a row of the paper's, or a new one"
    )
    reported: dict[Literal["long", "short", "multi"], Reported] = Field(
        {}, description="by role, for rows that FrameExit's tables do not have"
    )


class TradeOff(Strict):
    """The parameter with which a method trades accuracy for cost, and two of its values."""

    param: str
    cheap: int | float | str = Field(description="a value at which a video costs less on average")
    expensive: int | float | str = Field(description="than at this one")


class MethodManifest(Strict):
    """`method.yaml`."""

    name: PlainName
    label: str
    summary: str
    kind: Literal["method", "baseline", "control"]
    paper: Paper | None = None
    licence: str
    extends: str | None = Field(None, description="a method whose code this one builds on")
    source: Source | None = None
    networks: Networks = ("backbone",)
    params_on: dict[Literal["long", "short", "multi"], dict[str, Any]] = Field(
        {}, description="parameters of all variants on datasets of a role, below a variant's own"
    )
    trade_off: TradeOff | None = None
    importers: dict[str, Name] = Field(
        {}, description="name of a published checkpoint's layout -> module here that converts it"
    )
    expected_failed_checks: dict[CheckName, Annotated[str, Field(min_length=1)]] = Field(
        {}, description="checks that the method fails on purpose, with the reason"
    )
    variants: dict[Name, Variant] = Field(min_length=1)


def read_method_manifest(path: Path) -> tuple[MethodManifest | None, list[BenchmarkError]]:
    """Return what a `method.yaml` says, unless it cannot be read so, and its faults."""
    try:
        manifest = MethodManifest.model_validate(read_mapping(path))
    except BenchmarkError as fault:
        return None, [fault]
    except ValidationError as wrong:
        return None, [_explain(fault, path) for fault in wrong.errors()]
    faults = []
    given = {f"params_on.{role}": params for role, params in manifest.params_on.items()}
    given |= {f"variants.{name}.params": v.params for name, v in manifest.variants.items()}
    for key, params in given.items():
        for param in (param for param, value in params.items() if not _is_finite(value)):
            place = place_of(path, [*key.split("."), param])
            faults.append(BenchmarkError(f"{key}.{param} is not a finite number", where=place))
    if manifest.name != path.parent.name:
        faults.append(
            BenchmarkError(
                f"name '{manifest.name}' is not the folder's", where=path, fix="make them equal"
            )
        )
    if not (path.parent / "method.py").is_file():
        faults.append(BenchmarkError("has no method.py beside it", where=path))
    return manifest, faults


def _is_finite(value: object) -> bool:
    """Say whether no number in a parameter's value is infinite or not a number."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    return not isinstance(value, list) or all(map(_is_finite, value))


def _explain(fault: Any, path: Path) -> BenchmarkError:
    key = ".".join(map(str, fault["loc"]))
    where = place_of(path, fault["loc"])
    if fault["type"] == "extra_forbidden":
        parts: dict[str, type[BaseModel]] = {
            "paper": Paper,
            "source": Source,
            "trade_off": TradeOff,
            "variants": Variant,
        }
        model = MethodManifest if len(fault["loc"]) == 1 else parts[fault["loc"][0]]
        if "reported" in fault["loc"][:-1]:
            model = Reported
        hint = did_you_mean(str(fault["loc"][-1]), model.model_fields)
        return BenchmarkError(f"unknown key '{key}'{hint}", where=where)
    if fault["loc"][-1:] == ("[key]",) and fault["loc"][0] == "expected_failed_checks":
        name = str(fault["loc"][1])
        return BenchmarkError(
            f"unknown check '{name}'{did_you_mean(name, CHECK_NAMES)}", where=where
        )
    named = fault["type"] == "string_pattern_mismatch"
    what = name_rule(fault["ctx"]["pattern"]) if named else fault["msg"]
    return BenchmarkError(f"key '{key}': {what}", where=where)
