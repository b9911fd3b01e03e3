"""Files that stand beside videos and are none: left out of a folder's listing, and named.

A class folder from the web holds photographs, subtitles, descriptions and songs with a cover
picture. What has no video's suffix is looked at before it is listed; what has one is probed like
any video, so that a damaged video is named as such and not taken for a stray file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from benchmark.data.published.video_files import VIDEO_SUFFIXES
from benchmark.data.video_io.picture_stream import NotAVideoError, open_video, picture_stream

__all__ = ["named_by_reason", "why_no_video", "without_strays"]

_NAMED = 50  # files of a kind


def why_no_video(path: Path) -> str:
    """Return why a file without a video's suffix is no video; empty if it may be one."""
    if path.name.lower().endswith(VIDEO_SUFFIXES):
        return ""
    import av  # noqa: PLC0415  (most folders hold nothing else than videos)

    try:
        with open_video(path) as container:
            picture_stream(container)
    except NotAVideoError as error:
        return str(error)
    except (av.FFmpegError, OSError):
        return "neither the name nor the content of a video"
    return ""


def named_by_reason(reasons: Mapping[str, str]) -> dict[str, int]:
    """Return entries of `Listing.left_out`: how many files are no videos, why, and which.

    Args:
        reasons: by the file's name.
    """
    names: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        names.setdefault(reason, []).append(name)
    return {
        f"{reason} ({', '.join(same[:_NAMED])}{', …' if len(same) > _NAMED else ''})": len(same)
        for reason, same in sorted(names.items())
    }


def without_strays(
    listed: pd.DataFrame, left_out: Mapping[str, int], *, is_folder: bool
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Leave out the probed files that are no videos; if a list names them they are unreadable.

    Args:
        listed: rows with the facts about their files.
        left_out: what is no row already.
        is_folder: whether the rows are all files of a folder, and not those that a list names.
    """
    strays = listed["status"] == "no_video"
    if not is_folder:
        status = listed["status"].where(~strays, "unreadable")
        return listed.assign(status=status), dict(left_out)
    reasons = dict(zip(listed["path"][strays], listed["reason"][strays], strict=True))
    return listed[~strays].reset_index(drop=True), {**left_out, **named_by_reason(reasons)}
