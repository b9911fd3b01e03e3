"""Augmentation: one crop and one mirror image a video and epoch, for all that look at it."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.backbones.views import CENTRE, CropFlip
from benchmark.data.frames.resize import resize_short_side
from benchmark.data.frames.store import FrameStore
from benchmark.experiment.layout import Layout

SIZE = 56  # a short side of 64 pixels, as the frames are stored


@pytest.fixture(scope="module")
def store(small_plan):
    return FrameStore.open(Layout.of(small_plan().config).frames("long"))


def _place(whole, cut):
    """Return (top, left, mirrored) of a cut in a frame."""
    for mirrored in (False, True):
        shown = cut[:, ::-1] if mirrored else cut
        for top in range(whole.shape[0] - SIZE + 1):
            for left in range(whole.shape[1] - SIZE + 1):
                if (whole[top : top + SIZE, left : left + SIZE] == shown).all():
                    return top, left, mirrored
    raise AssertionError("no part of the frame")


def test_all_frames_of_a_video_show_the_same_part(store):
    places = set()
    for video in store.video_ids[:12]:
        whole = store.frames(video, [0, 5, 9])
        cuts = CropFlip(3).frames(store, video, [0, 5, 9], SIZE)
        assert cuts.shape == (3, SIZE, SIZE, 3)
        found = {_place(frame, cut) for frame, cut in zip(whole, cuts, strict=True)}
        assert len(found) == 1
        places |= found
    assert len({place[:2] for place in places}) > 6
    assert {place[2] for place in places} == {False, True}


def test_the_part_follows_video_and_epoch_alone(store):
    video = store.video_ids[0]
    alone = CropFlip(7).frames(store, video, [4], SIZE)
    assert (CropFlip(7).frames(store, video, [1, 4], SIZE)[1] == alone[0]).all()
    other_epochs = [CropFlip(seed).frames(store, video, [4], SIZE) for seed in range(6)]
    assert any((other != alone).any() for other in other_epochs)


def test_a_smaller_network_sees_the_same_part(store):
    video, seed = store.video_ids[1], 5
    top, left, mirrored = _place(
        store.frames(video, [2])[0], CropFlip(seed).frames(store, video, [2], SIZE)[0]
    )
    half = resize_short_side(store.frames(video, [2]), 32)[0]
    cut = CropFlip(seed).frames(store, video, [2], 28)[0]
    shown = cut[:, ::-1] if mirrored else cut
    differences = {
        (t, le): np.abs(half[t : t + 28, le : le + 28] - shown).max()
        for t in range(5)
        for le in range(5)
    }
    t, le = min(differences, key=differences.get)
    assert differences[t, le] == 0
    assert abs(t - top / 2) <= 1
    assert abs(le - left / 2) <= 1


def test_at_test_time_the_centre_is_seen(store):
    video = store.video_ids[0]
    seen = CENTRE.frames(store, video, [0], SIZE)
    assert (seen == store.frames(video, [0], SIZE)).all()
