import sys

import av
import numpy as np
import pytest

from benchmark.data.decoding import DecodingError, decode_frames, readers


@pytest.mark.parametrize(
    ("width", "height"), [(48, 48), (64, 64), (72, 72), (100, 76), (34, 50), (320, 240)]
)
def test_frames_equal_pyavs_pixel_for_pixel(tmp_path, write_video, decoded_by_pyav, width, height):
    path = write_video(tmp_path / "a.mp4", num_frames=23, width=width, height=height)
    indices = np.array([0, 0, 1, 4, 5, 6, 11, 19, 22, 22])
    decoded = decode_frames(path, indices)
    if sys.platform == "linux":
        assert decoded.reader.startswith("decord ")
    assert np.array_equal(decoded.frames, decoded_by_pyav(path)[indices])


def test_what_decord_cannot_open_is_read_by_pyav(tmp_path, write_video, decoded_by_pyav):
    if "libsvtav1" not in av.codecs_available:
        pytest.skip("this PyAV writes no AV1, which decord 0.6 cannot read")
    path = write_video(tmp_path / "a.mp4", width=64, height=64, codec="libsvtav1")
    decoded = decode_frames(path, np.array([0, 5, 11]))
    assert decoded.reader == f"pyav {av.__version__}"
    assert np.array_equal(decoded.frames, decoded_by_pyav(path)[[0, 5, 11]])


def test_pyav_reads_everything_where_decord_is_not_installed(tmp_path, write_video, monkeypatch):
    path = write_video(tmp_path / "a.mp4")
    with_decord = decode_frames(path, np.array([0, 3, 11]))
    monkeypatch.setitem(sys.modules, "decord", None)
    readers.cache_clear()
    try:
        without = decode_frames(path, np.array([0, 3, 11]))
        assert list(readers()) == [f"pyav {av.__version__}"]
    finally:
        readers.cache_clear()
    assert np.array_equal(with_decord.frames, without.frames)


def test_a_damaged_video_names_each_readers_reason(tmp_path, write_video):
    path = write_video(tmp_path / "a.mp4", num_frames=60)
    data = bytearray(path.read_bytes())
    start, end = data.index(b"mdat") + 2000, data.index(b"moov") - 500
    data[start:end] = bytes(end - start)
    path.write_bytes(data)
    with pytest.raises(DecodingError, match=r"pyav: ") as raised:
        decode_frames(path, np.array([0, 59]))
    assert str(tmp_path) not in str(raised.value)


def test_a_frame_beyond_the_end_is_an_error(tmp_path, write_video):
    path = write_video(tmp_path / "a.mp4", num_frames=12)
    with pytest.raises(DecodingError, match="frame 40 was asked for"):
        decode_frames(path, np.array([0, 40]))


@pytest.mark.clips
def test_packed_mpeg4_is_read_exactly(clips_root, decoded_by_pyav):
    """The clips on which decord's own seeking returns neighbouring frames."""
    for path in sorted(clips_root.glob("ut_interaction/*/*/*.avi"))[::10]:
        expected = decoded_by_pyav(path)
        indices = np.arange(0, len(expected), 7)
        decoded = decode_frames(path, indices)
        assert np.array_equal(decoded.frames, expected[indices]), path


@pytest.mark.clips
def test_both_readers_repeat_the_last_frame_of_packed_mpeg4(clips_root, decoded_by_pyav):
    path = clips_root / "ut_interaction/set1/hug/10_2_1.avi"
    tail = np.array([132, 133, 134])
    expected = decoded_by_pyav(path)[[-1, -1, -1]]
    for read in readers().values():
        assert np.array_equal(np.stack(read(path, tail, np.asarray)), expected)
