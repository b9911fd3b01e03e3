"""The jobs that make videos, manifests, frames and sound."""

from __future__ import annotations

from benchmark.files.writing import write_json
from benchmark.jobs.job import Job

__all__ = ["frames", "frames_part", "manifest", "sound", "videos"]


def videos(job: Job) -> None:
    """Generate a built-in set."""
    from benchmark.data.builtin.generate import generate  # noqa: PLC0415

    builtin = job.config.datasets[job.dataset].builtin
    assert builtin is not None, "the workflow asks for built-in sets only"
    generate(
        builtin.set,
        job.layout.videos(job.dataset),
        num_train=builtin.num_train,
        num_val=builtin.num_val,
        seed=builtin.seed,
        workers=job.threads,
        progress=job.log.progress,
    )


def manifest(job: Job) -> None:
    """Read a dataset's descriptor and probe its videos."""
    from benchmark.data.builtin.generated import check_generated  # noqa: PLC0415
    from benchmark.data.manifest.manifest import Manifest, write_manifest  # noqa: PLC0415
    from benchmark.data.manifest.report import (  # noqa: PLC0415
        absent_classes,
        expected_of,
        report_text,
        write_report,
    )
    from benchmark.data.profile_datasets import build_profile_manifest  # noqa: PLC0415
    from benchmark.data.video_io.probe_cache import ProbeCache  # noqa: PLC0415

    path = job.layout.manifest(job.dataset)
    if job.config.datasets[job.dataset].builtin is not None:
        check_generated(job.layout.videos(job.dataset))
    expected = expected_of(job.dataset, job.config.profile)

    def report(manifest: Manifest) -> None:
        absent = absent_classes(manifest)
        text = report_text(manifest, expected, absent)
        write_report(manifest, text, path)
        all_usable = len(manifest.usable("video_id")) == len(manifest.rows)
        job.log.write(text, shown=bool(expected or not all_usable or absent))

    manifest = build_profile_manifest(
        job.config,
        job.dataset,
        workers=job.threads,
        progress=job.log.progress,
        kept=ProbeCache(path),
        inspect=report,
    )
    write_manifest(manifest, path)


def frames(job: Job) -> None:
    """Extract a dataset's frames, or check and index what its parts extracted."""
    from benchmark.data.frames.extract import extract  # noqa: PLC0415
    from benchmark.data.manifest.of_dataset import manifest_of  # noqa: PLC0415
    from benchmark.data.profile_datasets import recipe_of  # noqa: PLC0415

    extract(
        manifest_of(job.config, job.dataset),
        job.layout.frames(job.dataset),
        recipe_of(job.config, job.dataset),
        workers=job.threads,
        progress=job.log.progress,
    )


def frames_part(job: Job) -> None:
    """Extract one part of a dataset's frames."""
    from benchmark.data.frames.extract import extract_part  # noqa: PLC0415
    from benchmark.data.manifest.of_dataset import manifest_of  # noqa: PLC0415
    from benchmark.data.profile_datasets import recipe_of  # noqa: PLC0415

    num_parts = job.config.extraction_parts
    num_shards = extract_part(
        manifest_of(job.config, job.dataset),
        job.layout.frames(job.dataset),
        recipe_of(job.config, job.dataset),
        part=job.part,
        num_parts=num_parts,
        workers=job.threads,
        progress=job.log.progress,
    )
    write_json(job.layout.frames_part(job.dataset, job.part, num_parts), {"shards": num_shards})


def sound(job: Job) -> None:
    """Extract a dataset's sound."""
    from benchmark.data.manifest.of_dataset import manifest_of  # noqa: PLC0415
    from benchmark.data.sound.extract import extract_sound  # noqa: PLC0415
    from benchmark.data.sound.store import SoundStore  # noqa: PLC0415

    folder = job.layout.sound(job.dataset)
    manifest = manifest_of(job.config, job.dataset)
    extract_sound(manifest, folder, workers=job.threads, progress=job.log.progress)
    for video, fault in SoundStore.open(folder).faults.items():
        job.log.write(f"{video}: {fault}")
