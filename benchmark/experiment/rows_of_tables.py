"""Which variant stands behind each row of a table."""

from __future__ import annotations

from collections.abc import Mapping

from benchmark.errors import BenchmarkError, raise_all
from benchmark.methods.discovery import MethodFolder

__all__ = ["owners_of_rows"]


def owners_of_rows(methods: Mapping[str, MethodFolder], table: str) -> dict[str, tuple[str, str]]:
    """Return the (method, variant) behind each row of a table.

    Raises:
        BenchmarkError: naming each row that two variants claim.
    """
    owners: dict[str, tuple[str, str]] = {}
    faults = []
    for method in methods.values():
        for variant, settings in method.manifest.variants.items():
            row = settings.shown_in.get(table)
            if row is None:
                continue
            if row in owners:
                faults.append(
                    BenchmarkError(
                        f"row '{row}' of {table} is already that of {'/'.join(owners[row])}",
                        where=f"{method.folder / 'method.yaml'}: variants.{variant}.shown_in",
                        fix="choose another name for the row",
                    )
                )
            owners[row] = (method.name, variant)
    raise_all(faults, f"the rows of {table}")
    return owners
