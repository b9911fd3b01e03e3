"""Ways to spoil a file: what a disk, an editor, or somebody who knows of the seals may do to it."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from safetensors.torch import load_file

from benchmark.data.frames.index import StoreIndex, read_index, write_index
from benchmark.data.manifest.manifest import read_manifest, write_manifest
from benchmark.experiment.stage_index import read_stage_index, write_stage_index
from benchmark.files.sealed import file_sha256, read_sealed, write_sealed
from benchmark.files.sealed_tensors import save_sealed_tensors

Spoil = Callable[[Path], None]
"""Spoils the file at a path."""


def flipped(path: Path) -> None:
    """Change one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def halved(path: Path) -> None:
    """Cut a file in half."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def edited(pattern: str, new: str) -> Spoil:
    """Return what replaces the first match of a pattern, and leaves the file readable."""

    def spoil(path: Path) -> None:
        text = path.read_text()
        changed = re.sub(pattern, new, text, count=1)
        assert changed != text, path
        path.write_text(changed)

    return spoil


def exchanged(name: str) -> Spoil:
    """Return what exchanges a file and another one, whose path is relative to its folder."""

    def spoil(path: Path) -> None:
        other, kept = path.parent / name, path.read_bytes()
        assert other.read_bytes() != kept
        path.write_bytes(other.read_bytes())
        other.write_bytes(kept)

    return spoil


def resealed(name: str, change: Callable[[Any], Any]) -> Spoil:
    """Return what changes a value of a record and seals it anew, as an older version would be."""

    def spoil(path: Path) -> None:
        said = read_sealed(path, "record", "")
        said[name] = change(said[name])
        write_sealed(path, said)

    return spoil


def shifted(first_rows: list[int]) -> list[int]:
    """Return the first rows of all videos, each shifted by one."""
    return [row + 1 for row in first_rows[:-1]] + first_rows[-1:]


def shift_first_rows(path: Path) -> None:
    """Let the features of each video begin one row later."""
    index = json.loads(path.read_text())
    index["first_row"] = shifted(index["first_row"])
    path.write_text(json.dumps(index))


def _with_column(path: Path, name: str, change: Callable[[Any], Any]) -> None:
    table = pq.read_table(path)
    values = change(table[name].to_numpy())
    pq.write_table(table.set_column(table.column_names.index(name), name, [values]), path)


def stop_at_the_first_step(path: Path) -> None:
    """Let each video of some rows exit at the first step."""
    _with_column(path, "exit_step", np.ones_like)


def flip_frames_and_forget_features(path: Path) -> None:
    """Change one bit of the frames, whose features are to be computed once more."""
    flipped(path)
    (path.parents[3] / "features" / "multi" / "backbone" / "index.json").unlink()


def use_another_frame_rate(path: Path) -> None:
    """Give each video of a frame store another frame rate."""
    _with_column(path, "fps", lambda rates: rates + 1)


def change_facts(path: Path) -> None:
    """Change the number of frames of the first video."""
    first, line, *rest = path.read_text().splitlines()
    name, size, changed_ns, facts, digest = json.loads(line)
    facts["num_frames"] += 1
    path.write_text("\n".join([first, json.dumps([name, size, changed_ns, facts, digest]), *rest]))


def exchange_two_labels(path: Path) -> None:
    """Exchange the labels of the first two videos."""
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["labels"] != rows[1]["labels"]
    rows[0]["labels"], rows[1]["labels"] = rows[1]["labels"], rows[0]["labels"]
    with path.open("w", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def relabel(path: Path) -> None:
    """Write a manifest with other labels, which agrees with itself and names the same lists."""
    manifest = read_manifest(path)
    rows = manifest.rows.assign(labels=manifest.rows["labels"].iloc[::-1].to_numpy())
    write_manifest(replace(manifest, rows=rows), path)


def put_back_a_manifest_of_other_lists(path: Path) -> None:
    """Write a manifest that was built from lists which lie there no more."""
    manifest = read_manifest(path)
    assert manifest.lists
    write_manifest(replace(manifest, lists=("0" * 64,)), path)


def put_back_an_older_index_of_frames(path: Path) -> None:
    """Write the index of a frame store in which a video has another frame rate."""
    index = read_index(path.parent)
    rates = index.numbers("fps") + 1
    at = index.videos.column_names.index("fps")
    videos = index.videos.set_column(at, index.videos.schema.field(at), [rates])
    write_index(StoreIndex(index.recipe, index.shards, videos), path.parent)


def put_back_older_tensors(path: Path) -> None:
    """Write other tensors of the same names and shapes, with their own seal."""
    tensors = load_file(path)
    save_sealed_tensors(path, {name: tensor + 1 for name, tensor in tensors.items()})


def copy_over(pattern: str) -> Spoil:
    """Return what replaces a file by the first of its neighbours that match a pattern."""

    def spoil(path: Path) -> None:
        shutil.copyfile(next(p for p in sorted(path.parent.glob(pattern)) if p != path), path)

    return spoil


def edit_a_result_and_its_list(path: Path) -> None:
    """Change an accuracy, its seal and the list of results, as one would who knows of them."""
    resealed("metrics", lambda metrics: {**metrics, "map": 0.9})(path)
    _list_anew(path)


def edit_resamples_and_their_records(path: Path) -> None:
    """Change the resamples of a result, the result and the list of results."""
    np.save(path, np.load(path) + 0.1)
    result = path.with_name("result.json")
    resealed("replicates_sha256", lambda _: file_sha256(path))(result)
    _list_anew(result)


def name_other_code_and_data(path: Path) -> None:
    """Let a list of files say that another version of the code made them, of other data."""
    other = {"method": "0" * 64, "harness": "0" * 64}

    def change(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            {**entry, "made_with": {**entry["made_with"], **other}, "data_digest": "another"}
            for entry in entries
        ]

    resealed("entries", change)(path)


def _list_anew(path: Path) -> None:
    """Put the digest of a result into the list of results."""
    record, runs = path.parents[2] / "results.json", path.parents[4]
    owner = (path.parents[3].name, path.parents[2].name)
    entries = read_stage_index(record, "evaluate", *owner)
    for entry in entries:
        entry["sha256"] = file_sha256(runs / entry["result"])
    write_stage_index(record, "evaluate", *owner, entries)


def deleted(path: Path) -> None:
    """Delete a file."""
    path.unlink()
