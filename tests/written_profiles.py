"""A small profile that holds, and copies of it with one setting changed."""

from __future__ import annotations

import copy
from typing import Any

__all__ = ["GOOD", "with_setting"]

GOOD: dict[str, Any] = {
    "profile": "tried",
    "description": "a test",
    "seeds": [0],
    "datasets": {
        "long": {
            "role": "long",
            "builtin": {"set": "long", "num_train": 4, "num_val": 4},
            "sampling": {"positions": 8},
        },
        "clips": {
            "role": "short",
            "csv": {"csv": "labels.csv", "root": "/videos"},
            "sampling": {"fps": 1},
        },
    },
    "backbone": {"network": "tiny_cnn", "weights": "random"},
    "training": {"head_units": 8, "learning_rate": 0.01, "batch_size": 4},
}


def with_setting(path: str, value: object) -> dict[str, Any]:
    """Return the profile with a key set, or taken out for the value None.

    Args:
        path: keys with full stops between; parts of the settings that are not there are made.
        value: of the key.
    """
    content = copy.deepcopy(GOOD)
    *parents, key = path.split(".")
    place = content
    for parent in parents:
        place = place.setdefault(parent, {})
    if value is None:
        del place[key]
    else:
        place[key] = value
    return content
