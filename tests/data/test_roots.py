"""A list of videos names files below its root, and no others unless a setting allows them."""

from __future__ import annotations

import pytest

from benchmark.config.load import validate
from benchmark.config.roots import paths_outside
from benchmark.data.manifest.build import build_from_csv
from benchmark.data.manifest.listing import Columns
from benchmark.errors import BenchmarkError


@pytest.fixture
def root(tmp_path):
    """Return a root with a file, a link inside, a link out, and a folder that is a link out."""
    root, other = tmp_path / "root", tmp_path / "other"
    root.mkdir()
    other.mkdir()
    for path in (root / "own.mp4", other / "away.mp4"):
        path.write_bytes(b"")
    (root / "within.mp4").symlink_to("own.mp4")
    (root / "linked.mp4").symlink_to(other / "away.mp4")
    (root / "disk").symlink_to(other)
    return root


OWN = ["own.mp4", "within.mp4", "absent/absent.mp4", "..strange.mp4"]
LINKS = ["linked.mp4", "disk/away.mp4"]
FAR = ["../other/away.mp4", "/etc/hostname", "disk/../own.mp4"]


@pytest.mark.parametrize(
    ("allowed", "outside"), [("error", [*LINKS, *FAR]), ("links", FAR), ("any", [])]
)
def test_a_setting_says_which_paths_may_leave_the_root(root, allowed, outside):
    assert list(paths_outside(root, [*OWN, *LINKS, *FAR], allowed)) == outside


def test_a_root_that_is_a_link_itself_is_no_way_out(root, tmp_path):
    alias = tmp_path / "alias"
    alias.symlink_to(root)
    assert paths_outside(alias, ["own.mp4", str(alias / "own.mp4")], "error") == {}


def _build(root, lines, **settings):
    csv = root / "labels.csv"
    csv.write_text("path,label,split\n" + "\n".join(lines) + "\n")
    return build_from_csv(
        csv,
        root=root,
        columns=Columns(split="split"),
        dataset="toy",
        task="single_label",
        max_unreadable_fraction=1.0,
        **settings,
    )


def test_every_video_outside_the_root_is_named_with_its_line(root, tmp_path):
    lines = ["../other/away.mp4,run,train", "linked.mp4,swim,val", "own.mp4,run,val"]
    with pytest.raises(BenchmarkError) as caught:
        _build(root, lines)
    said = str(caught.value)
    assert said.startswith(f"2 faults in {root}:")
    assert "labels.csv:2: ../other/away.mp4: the path leads out of the root. Fix: move" in said
    away = f"labels.csv:3: linked.mp4: a symbolic link leads out of the root, to {tmp_path}"
    assert away in said
    assert "set outside_root to links or to any" in said


def test_videos_behind_links_are_read_where_the_setting_allows_it(root, write_video, tmp_path):
    write_video(tmp_path / "other" / "away.mp4", seed=0, num_frames=6)
    manifest = _build(root, ["linked.mp4,run,train", "own.mp4,swim,val"], outside_root="links")
    assert manifest.rows["num_frames"].tolist() == [6, 0]


@pytest.mark.parametrize("csv", ["../other/labels.csv", "/etc/labels.csv", "disk/labels.csv"])
def test_a_list_outside_the_root_is_refused_before_any_job(root, csv):
    content = {
        "profile": "tried",
        "description": "a test",
        "seeds": [0],
        "datasets": {
            "clips": {
                "role": "short",
                "csv": {"csv": csv, "root": "{clips_root}/root"},
                "sampling": {"fps": 1},
            }
        },
        "backbone": {"network": "tiny_cnn", "weights": "random"},
        "training": {"head_units": 8, "learning_rate": 0.01, "batch_size": 4},
        "clips_root": str(root.parent),
    }
    with pytest.raises(BenchmarkError, match=f"datasets.clips: '{csv}': .*out of the root"):
        validate(content, "here")
    validate({**content, "outside_root": "any"}, "here")
    validate({**content, "clips_root": None}, "here", folders_named=False)
