"""Clips have the file names that those who cut them from longer videos give."""

import pytest

from benchmark.data.manifest.checks import Faults
from benchmark.data.published.clip_names import (
    as_numbers,
    clip_ids,
    in_seconds,
    in_tenths,
    read_clips,
)


@pytest.mark.parametrize(
    ("start", "end", "names"),
    [
        ("4", "14", ("000004_000014", "000004_000014", "000040_000140", "4_14", "4.0_14.0")),
        ("40.50", "42.5", ("000040.5_000042.5", "000040_000042", "000405_000425", "40.5_42.5", "")),
        ("0.0", "10.0", ("000000_000010", "000000_000010", "000000_000100", "0_10", "0.0_10.0")),
    ],
)
def test_the_times_of_a_clip_are_written_in_every_known_form(tmp_path, start, end, names):
    path = tmp_path / "clips.csv"
    path.write_text(f"youtube_id,time_start,time_end\nabc,{start},{end}\n")
    faults = Faults(path)
    clips = read_clips(path, [], faults)
    faults.raise_any()
    written = (clip_ids(clips), in_seconds(clips), in_tenths(clips))
    written += (as_numbers(clips, whole_as=""), as_numbers(clips, whole_as=".0"))
    expected = [f"abc_{name or names[3]}" for name in names]
    assert [column.item() for column in written] == expected
