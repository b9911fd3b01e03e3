"""The op table: for every op that a network may execute, what it costs.

There are three answers and no default: counted by a closed form, declared free by name, or not
known. An op that only stands for others (einsum, tensordot, ...) is not in the table; the counter
opens it and asks for its parts.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch._ops import OpOverload

from benchmark.cost.ops_attention import ATTENTION_RULES
from benchmark.cost.ops_free import FREE_OPS
from benchmark.cost.ops_products import PRODUCT_RULES
from benchmark.cost.ops_recurrent import RECURRENT_RULES
from benchmark.cost.rule import Rule

__all__ = ["COUNTED_OPS", "FREE", "find_rule", "short_name"]

COUNTED_OPS: Mapping[str, Rule] = {**PRODUCT_RULES, **ATTENTION_RULES, **RECURRENT_RULES}

FREE = Rule("free", sizes=lambda args, out: (), macs=lambda: 0)

_FREE_NAMES = frozenset(
    name if "::" in name else f"aten::{name}"
    for names in FREE_OPS.values()
    for name in names.split()
)


def find_rule(op: OpOverload) -> Rule | None:
    """Return how `op` is counted, `FREE` if it is declared free, None if the table lacks it."""
    name: str = op._schema.name
    if name.endswith("_") and not name.endswith("__"):  # in place, the same op
        name = name[:-1]
    overload = op._schema.overload_name or "default"
    rule = COUNTED_OPS.get(f"{name}.{overload}") or COUNTED_OPS.get(name)
    return FREE if rule is None and name in _FREE_NAMES else rule


def short_name(op: OpOverload) -> str:
    """Return the name of an op without its overload, e.g. 'aten.conv2d'."""
    return str(op._schema.name).replace("::", ".")
