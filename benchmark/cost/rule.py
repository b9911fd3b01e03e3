"""What the op table says of one op: which sizes its cost depends on, and the closed form.

A closed form sees nothing but sizes, so that remembering its result for repeated sizes cannot
give a number of another path, another module or an earlier count.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

__all__ = ["Rule", "Sizes", "closed_form"]

Sizes = Sequence[int]


def closed_form(macs: Callable[..., int]) -> Callable[..., int]:
    """Remember a pure function of sizes, so that repeated sizes are not computed again."""
    return lru_cache(maxsize=2**16)(macs)


@dataclass(frozen=True)
class Rule:
    """How many multiply-accumulates one counted op executes.

    Attributes:
        kind: 'convolution', 'matrix product', 'attention' or 'recurrent'.
        sizes: (arguments, result) -> all the sizes that the cost depends on, hashable.
        macs: those sizes -> MACs; a closed form.
    """

    kind: str
    sizes: Callable[[Any, Any], tuple[Any, ...]]
    macs: Callable[..., int]
