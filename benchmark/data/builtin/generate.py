"""Write a built-in set to a folder: real H.264 and AAC in mp4, labels, and the known answers.

The videos are files like any others: the harness reads them through the same manifest, decoder
and frame store as ActivityNet. No method is evaluated with the record: it serves to pretrain the
built-in backbone (on the train split) and to check what the harness measures.

Encoding: libx264, one thread (same bytes every time), preset `veryfast`, crf 30, at which the
decoded glyphs are told apart at a glance. A key frame stands at least every 12 frames, so that
reading one frame decodes at most 12, and wherever a cue appears or vanishes: predicted frames
carry a faint ghost of what has just vanished, which a network could read where the record says
that nothing is visible. No B-frames, which would carry it backwards too.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import as_completed
from fractions import Fraction
from operator import itemgetter
from pathlib import Path
from typing import Any

import av
from av.video.frame import PictureType

from benchmark.data.builtin.generated import discard_damaged_videos, write_record
from benchmark.data.builtin.plan import VideoPlan, plan_video, video_rng
from benchmark.data.builtin.render import render_frames
from benchmark.data.builtin.sets import FRAME_SIZE_PX, VideoSet, get_set
from benchmark.data.builtin.sound import BIT_RATE, SAMPLE_RATE_HZ, sound_packets
from benchmark.errors import BenchmarkError
from benchmark.files.writing import write_text
from benchmark.lifetime import process_pool

__all__ = ["generate"]

_RECIPE_VERSION = 1  # raise it whenever the same seed gives other videos
_X264 = {
    "preset": "veryfast",
    "crf": "30",
    "g": "12",
    "bf": "0",
    "sc_threshold": "0",
    "forced-idr": "1",
}
_VIDEOS_A_JOB = 16

_Video = tuple[str, int]  # split, index


def generate(
    set_name: str,
    folder: Path,
    *,
    num_train: int,
    num_val: int,
    seed: int,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write the videos that are missing or were changed, then `labels.csv` and `truth.jsonl`.

    A video stands under its name only when it is complete, and the two lists are written last,
    so an interrupted run is finished by the same call. With more than one worker, processes are
    spawned: a script that calls this needs the `__main__` guard.

    Args:
        set_name: 'long', 'short' or 'multi'.
        folder: receives videos/<split>/<video_id>.mp4, digests.json, labels.csv and truth.jsonl.
        num_train: videos of split 'train'.
        num_val: videos of split 'val'.
        seed: not negative; other seeds give other videos.
        workers: processes; any number gives the same files.
        progress: called with (videos done, videos in all).

    Raises:
        BenchmarkError: for an unknown set, or a folder that holds videos of another recipe.
    """
    video_set = get_set(set_name)
    _claim(folder, set_name, seed)
    discard_damaged_videos(folder)
    wanted = [("train", i) for i in range(num_train)] + [("val", i) for i in range(num_val)]
    plans = [plan_video(video_set, seed, split, index) for split, index in wanted]
    missing = [
        video
        for video, plan in zip(wanted, plans, strict=True)
        if not (folder / _video_path(plan)).is_file()
    ]
    done = len(wanted) - len(missing)
    for num_written in _write_all(video_set, folder, seed, missing, workers):
        done += num_written
        if progress is not None:
            progress(done, len(wanted))
    for left_over in folder.glob("videos/*/*.part"):
        left_over.unlink()
    truth = "".join(f"{plan.truth.to_json()}\n" for plan in plans)
    lists = {"labels.csv": _labels_csv(plans), "truth.jsonl": truth}
    write_record(folder, map(_video_path, plans), lists)
    for name, text in lists.items():
        write_text(folder / name, text)


def _claim(folder: Path, set_name: str, seed: int) -> None:
    """Create the folder, or make sure that what it holds came from the same recipe."""
    path = folder / "recipe.json"
    recipe = {"set": set_name, "seed": seed, "version": _RECIPE_VERSION}
    if not path.is_file():
        write_text(path, json.dumps(recipe) + "\n")
    elif (found := json.loads(path.read_text(encoding="utf-8"))) != recipe:
        raise BenchmarkError(
            f"the folder holds videos of {found}, asked for are {recipe}",
            where=path,
            fix="choose another folder or delete this one",
        )


def _write_all(
    video_set: VideoSet, folder: Path, seed: int, videos: list[_Video], workers: int
) -> Iterator[int]:
    """Write videos, in this process or in several, and yield how many each job wrote."""
    jobs = [videos[i : i + _VIDEOS_A_JOB] for i in range(0, len(videos), _VIDEOS_A_JOB)]
    if workers <= 1:
        for job in jobs:
            yield _write_some(video_set.name, folder, seed, job)
        return
    with process_pool(min(workers, len(jobs) or 1)) as pool:
        running = [pool.submit(_write_some, video_set.name, folder, seed, job) for job in jobs]
        try:
            for finished in as_completed(running):
                yield finished.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _write_some(set_name: str, folder: Path, seed: int, videos: Iterable[_Video]) -> int:
    video_set, num_written = get_set(set_name), 0
    for split, index in videos:
        plan = plan_video(video_set, seed, split, index)
        path = folder / _video_path(plan)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Workers outlive a killed parent for a second: the next run must not share their file.
        part = path.with_suffix(f".{os.getpid()}.part")
        _encode(plan, video_set.fps, seed, part)
        part.replace(path)
        num_written += 1
    return num_written


def _encode(plan: VideoPlan, fps: int, seed: int, path: Path) -> None:
    """Write one mp4; packets of picture and sound are interleaved by time."""
    video_id, time_base = plan.truth.video_id, Fraction(1, fps)
    with av.open(path, "w", format="mp4") as container:
        picture = container.add_stream("libx264", rate=fps, options=dict(_X264))
        picture.width = picture.height = FRAME_SIZE_PX
        picture.pix_fmt, picture.thread_count = "yuv420p", 1
        sound = container.add_stream("aac", rate=SAMPLE_RATE_HZ)
        sound.layout, sound.bit_rate = "mono", BIT_RATE
        container.start_encoding()
        packets = []
        changes = {
            edge for ranges in plan.truth.intervals.values() for span in ranges for edge in span
        }
        frames = render_frames(plan, video_rng("pixels", seed, video_id))
        for number, planes in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts, frame.time_base = number, time_base
            if number in changes:
                frame.pict_type = PictureType.I
            packets += _timed(picture.encode(frame), fps)
        packets += _timed(picture.encode(None), fps)
        for packet in sound_packets(plan.truth, video_rng("sound", seed, video_id)):
            packet.stream = sound
            packets += _timed([packet], SAMPLE_RATE_HZ)
        for _, packet in sorted(packets, key=itemgetter(0)):
            container.mux(packet)


def _timed(
    packets: Iterable[av.Packet[Any]], ticks_a_second: int
) -> list[tuple[float, av.Packet[Any]]]:
    return [(packet.dts / ticks_a_second, packet) for packet in packets if packet.dts is not None]


def _video_path(plan: VideoPlan) -> Path:
    return Path("videos", plan.truth.split, f"{plan.truth.video_id}.mp4")


def _labels_csv(plans: Iterable[VideoPlan]) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("video_id", "path", "labels", "split", "difficulty"))
    for plan in plans:
        truth, path = plan.truth, _video_path(plan).as_posix()
        labels = "|".join(truth.labels)
        rows.writerow((truth.video_id, path, labels, truth.split, truth.difficulty))
    return text.getvalue()
