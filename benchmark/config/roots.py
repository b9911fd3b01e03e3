"""Keeps the files that a list names inside the folder that they are said to lie in.

Lists of videos are often written by others. A path such as `../../private.mp4`, or a symbolic link
in an unpacked archive, would make the benchmark read, hash and show a file that its user never
offered. The user's own links to another disk are just as common, so the profile's setting
`outside_root` says what is allowed: nothing, links, or any path.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from benchmark.config.datasets import OutsideRoot

__all__ = ["paths_outside"]


def paths_outside(root: Path, paths: Iterable[str], allowed: OutsideRoot) -> dict[str, str]:
    """Return the paths that leave a folder although they may not, each with the reason.

    Only the folders of the paths are resolved, and the files that are links themselves, so that
    half a million files on a shared file system are checked in one status call each.

    Args:
        root: the folder.
        paths: as a list names them, relative to the folder.
        allowed: 'error': no path may leave it; 'links': symbolic links may; 'any': all may.
    """
    if allowed == "any":
        return {}
    inside, real_root = os.path.abspath(root), os.path.realpath(root)
    resolved = cache(os.path.realpath)
    found = {}
    for path in paths:
        whole = os.path.normpath(os.path.join(inside, path))
        # Behind a link to a folder, '..' is not the folder that the link stands in.
        if not _is_below(whole, inside) or ".." in Path(path).parts:
            found[path] = "the path leads out of the root"
        elif allowed == "error":
            parent, name = os.path.split(whole)
            real = os.path.join(resolved(parent), name)
            if os.path.islink(real):
                real = os.path.realpath(real)
            if not _is_below(real, real_root):
                found[path] = f"a symbolic link leads out of the root, to {real}"
    return found


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
