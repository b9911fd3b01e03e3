"""The base of all settings that people write: a probable slip is not read as something else.

Python counts `true` as 1, so that `seeds: [true]` would be seed 1, and `seeds: [0, 0]` would count
one run twice. Both are errors of the key, as an unknown key is.
"""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

__all__ = ["Strict", "is_misplaced_truth"]


class Strict(BaseModel):
    """A part of what people write.

    Unknown keys, misplaced truth values, repeats, and numbers that are not finite are errors.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_misplaced_truth(cls, value: Any, info: ValidationInfo) -> Any:
        assert info.field_name is not None, "it is called for fields only"
        if is_misplaced_truth(value, cls.model_fields[info.field_name].annotation):
            raise ValueError("a number or a text is expected, not true or false (yes, no, on, off)")
        return value

    @field_validator("*")
    @classmethod
    def _nothing_twice(cls, value: Any) -> Any:
        if isinstance(value, tuple):
            for number, item in enumerate(value):
                if item in value[:number]:
                    raise ValueError(f"{item!r} stands twice")
        return value


def is_misplaced_truth(value: Any, annotation: Any) -> bool:
    """Say whether a value is true or false, or a list with one, where its type has no place for it.

    Args:
        value: as it was written.
        annotation: the type that is expected.
    """
    items = value if isinstance(value, list | tuple) else [value]
    return any(isinstance(item, bool) for item in items) and not _has_place(annotation)


def _has_place(annotation: Any) -> bool:
    return annotation in (bool, Any) or any(map(_has_place, get_args(annotation)))
