"""What each job of the workflow does: reads the files of the stage before, writes its own.

A job's last act is to write the file that the workflow waits for; everything else that it writes
is found again, by name and digest, when it is killed and started once more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmark.config import Config
from benchmark.errors import BenchmarkError
from benchmark.files import write_json
from benchmark.layout import Layout
from benchmark.plan import Plan, make_plan
from benchmark.progress import JobLog

__all__ = ["JOBS", "Job", "finished_plan", "read_resolved"]


@dataclass(frozen=True)
class Job:
    """One job as the workflow asked for it.

    Attributes:
        config: the resolved settings.
        dataset: wildcards, empty where the stage has none.
        seeds: of this job; all of the profile where the stage has no seeds.
        threads: how many the job may use.
        part: of the jobs that decode a dataset.
    """

    config: Config
    log: JobLog
    dataset: str = ""
    method: str = ""
    item: str = ""
    seeds: tuple[int, ...] = ()
    threads: int = 1
    part: int = 0

    @property
    def layout(self) -> Layout:
        """Where the profile's files lie."""
        return Layout.of(self.config)

    def plan(self) -> Plan:
        """Return what the profile runs."""
        return make_plan(self.config)


def _videos(job: Job) -> None:
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


def _manifest(job: Job) -> None:
    from benchmark.data.kept_facts import KeptFacts  # noqa: PLC0415
    from benchmark.data.manifest import Manifest, write_manifest  # noqa: PLC0415
    from benchmark.data.manifest_report import expected_of, report_text, write_report  # noqa: PLC0415
    from benchmark.data.of_profile import build_profile_manifest  # noqa: PLC0415

    path = job.layout.manifest(job.dataset)
    expected = expected_of(job.dataset, job.config.profile)

    def report(manifest: Manifest) -> None:
        write_report(manifest, expected, path)
        is_news = expected or len(manifest.usable()) < len(manifest.rows)
        job.log.write(report_text(manifest, expected), shown=bool(is_news))

    manifest = build_profile_manifest(
        job.config,
        job.dataset,
        workers=job.threads,
        progress=job.log.progress,
        kept=KeptFacts(path),
        inspect=report,
    )
    write_manifest(manifest, path)


def _frames(job: Job) -> None:
    from benchmark.data.extract import extract  # noqa: PLC0415
    from benchmark.data.manifest import read_manifest  # noqa: PLC0415
    from benchmark.data.of_profile import recipe_of  # noqa: PLC0415

    extract(
        read_manifest(job.layout.manifest(job.dataset)),
        job.layout.frames(job.dataset),
        recipe_of(job.config, job.dataset),
        workers=job.threads,
        progress=job.log.progress,
    )


def _frames_part(job: Job) -> None:
    from benchmark.data.extract import extract_part  # noqa: PLC0415
    from benchmark.data.manifest import read_manifest  # noqa: PLC0415
    from benchmark.data.of_profile import recipe_of  # noqa: PLC0415

    num_parts = job.config.extraction_parts
    num_shards = extract_part(
        read_manifest(job.layout.manifest(job.dataset)),
        job.layout.frames(job.dataset),
        recipe_of(job.config, job.dataset),
        part=job.part,
        num_parts=num_parts,
        workers=job.threads,
        progress=job.log.progress,
    )
    write_json(job.layout.frames_part(job.dataset, job.part, num_parts), {"shards": num_shards})


def _sound(job: Job) -> None:
    from benchmark.data.extract_sound import extract_sound  # noqa: PLC0415
    from benchmark.data.manifest import read_manifest  # noqa: PLC0415
    from benchmark.data.sound_store import SoundStore  # noqa: PLC0415

    folder = job.layout.sound(job.dataset)
    manifest = read_manifest(job.layout.manifest(job.dataset))
    extract_sound(manifest, folder, workers=job.threads, progress=job.log.progress)
    for video, fault in SoundStore.open(folder).faults.items():
        job.log.write(f"{video}: {fault}")


def _pretrain(job: Job) -> None:
    from benchmark.backbones.pretrain import pretrain  # noqa: PLC0415
    from benchmark.backbones.registry import network_of  # noqa: PLC0415
    from benchmark.data.builtin.truth import load_truth  # noqa: PLC0415
    from benchmark.data.frame_store import FrameStore  # noqa: PLC0415
    from benchmark.data.manifest import read_manifest  # noqa: PLC0415
    from benchmark.training.processes import device_of  # noqa: PLC0415

    _bind_threads(job.threads)
    layout, sets = job.layout, []
    for name, settings in job.config.datasets.items():
        if settings.builtin is not None:
            store = FrameStore.open(layout.frames(name))
            train = read_manifest(layout.manifest(name)).fold(0)[0]
            readable = [video for video in train if video not in store.failures]
            sets.append((store, load_truth(layout.videos(name) / "truth.jsonl"), readable))
    schedule = job.config.backbone.pretraining
    assert schedule is not None, "checked with the settings"
    network = network_of(job.config.network(job.item), job.item)
    device = device_of(job.config.compute)
    path = layout.weights(job.item)
    losses = pretrain(network, schedule, sets, path, job.log.progress, device=device)
    for epoch, loss in enumerate(losses, 1):
        job.log.write(f"epoch {epoch}: loss {loss:.5f}")


def _weights(job: Job) -> None:
    from benchmark.backbones.registry import network_of  # noqa: PLC0415
    from benchmark.backbones.weights import fetch  # noqa: PLC0415

    settings = job.config.network(job.item)
    network = network_of(settings, job.item)
    given = job.config.place(settings.file) if settings.file else None
    fetch(settings, network.build(), network.hub, given, job.layout.weights(job.item))


def _features(job: Job) -> None:
    from benchmark.backbones.feature_store import extract_features  # noqa: PLC0415
    from benchmark.data.frame_store import FrameStore  # noqa: PLC0415
    from benchmark.data.sound_store import SoundStore  # noqa: PLC0415
    from benchmark.inputs import make_network, weights_digest  # noqa: PLC0415
    from benchmark.training.processes import device_of  # noqa: PLC0415

    _bind_threads(1)  # of each worker
    role, layout = job.item, job.layout
    network = make_network(job.config, role).to(device_of(job.config.compute))
    digest = weights_digest(network)
    for dataset in job.config.frame_owners:
        store = FrameStore.open(layout.frames(dataset))
        store.verify()
        sound = SoundStore.open(layout.sound(dataset)) if network.network.listens else None
        if sound is not None:
            sound.verify()
        extract_features(
            store,
            network,
            digest,
            layout.features(dataset, role),
            sound=sound,
            workers=job.threads,
            progress=job.log.progress,
        )
    write_json(layout.features_done(role), {"weights_digest": digest})


def _train(job: Job) -> None:
    """Train, then predict with what was trained: the second would import and read it all again."""
    from benchmark.evaluation.predict import predict_all  # noqa: PLC0415
    from benchmark.training.processes import device_of  # noqa: PLC0415
    from benchmark.training.runs import Trainer, train_all  # noqa: PLC0415

    _bind_threads(job.threads)
    plan = job.plan()
    device = device_of(plan.config.compute)
    trainer = Trainer(plan, job.dataset, job.method, job.log, device)
    entries = train_all(trainer, job.seeds)
    index = job.layout.stage_index(job.dataset, job.method, "training", job.seeds)
    _write_index(job, plan, "train", index, entries)
    rows = predict_all(trainer, job.seeds)
    _write_predictions(job, plan, rows)
    trainer.forget_features()


def _control(job: Job) -> None:
    from benchmark.evaluation.predict import control_all  # noqa: PLC0415

    _bind_threads(job.threads)
    plan = job.plan()
    _write_predictions(job, plan, control_all(plan, job.dataset, job.method, job.log.progress))


def _write_predictions(job: Job, plan: Plan, entries: Sequence[Any]) -> None:
    index = job.layout.stage_index(job.dataset, job.method, "predictions", job.seeds)
    _write_index(job, plan, "predict", index, entries)


def _evaluate(job: Job) -> None:
    from benchmark.evaluation.evaluate import evaluate_all  # noqa: PLC0415

    plan, layout = job.plan(), job.layout
    blocks = plan.seed_blocks(job.dataset, job.method)
    paths = [layout.stage_index(job.dataset, job.method, "predictions", b) for b in blocks]
    entries = [entry for path in paths for entry in json.loads(path.read_text())]
    written = evaluate_all(plan, job.dataset, job.method, entries, job.log.progress)
    index = layout.results_index(job.dataset, job.method)
    _write_index(job, plan, "evaluate", index, written)


def _table(job: Job) -> None:
    from benchmark.reporting.tables import write_table  # noqa: PLC0415

    write_table(job.config, dict(job.plan().methods), job.item, job.layout.tables)


def _document(job: Job) -> None:
    from benchmark.reporting.tables import write_document  # noqa: PLC0415

    write_document(job.layout.tables)


def _figure(job: Job) -> None:
    from benchmark.reporting.figures import write_figure  # noqa: PLC0415

    write_figure(job.config, dict(job.plan().methods), job.item, job.layout.figures)


def _further_figure(job: Job) -> None:
    from benchmark.reporting.further_figures import write_further  # noqa: PLC0415

    write_further(job.plan(), job.item, job.layout.figures)


def _costs(job: Job) -> None:
    from benchmark.cost.literature import write_table as write_costs  # noqa: PLC0415

    _bind_threads(job.threads)
    write_costs(Path(job.config.results) / "costs")


def _timing(job: Job) -> None:
    from benchmark.reporting.timings import write_timings  # noqa: PLC0415

    _bind_threads(job.threads)
    write_timings(job.plan(), job.layout.tables, job.log.progress)


def _known_answers(job: Job) -> None:
    from benchmark.reporting.known_answers import write_known_answers  # noqa: PLC0415

    write_known_answers(job.config, job.layout.tables)


def _claims(job: Job) -> None:
    from benchmark.reporting.claims.table import write_claims  # noqa: PLC0415

    write_claims(job.config, dict(job.plan().methods), job.layout.tables)


def _ledger(job: Job) -> None:
    from benchmark.reporting.ledger_files import write_ledger  # noqa: PLC0415

    _bind_threads(job.threads)
    write_ledger(job.plan(), job.layout.tables)


def _frontier(job: Job) -> None:
    from benchmark.reporting.frontier import write_frontier  # noqa: PLC0415

    _bind_threads(job.threads)
    write_frontier(job.plan(), job.layout.tables, job.layout.figures, job.log.progress)


def _report(job: Job) -> None:
    from benchmark.reporting.report.page import write_report  # noqa: PLC0415

    write_report(job.plan(), job.layout.report)


def _track(job: Job) -> None:
    from benchmark.tracking_command import mirror_plan  # noqa: PLC0415

    report = mirror_plan(job.plan())
    job.log.write(str(report))
    print(report)
    write_json(job.layout.root / "tracked.json", asdict(report))


def _salvage(job: Job) -> None:
    """After jobs that died: mark the results that they owe, and write all tables with those."""
    from benchmark.withdrawal import mark_missing  # noqa: PLC0415

    plan = job.plan()
    if not mark_missing(plan):
        return
    for table in plan.paper.tables:
        _table(replace(job, item=table))
    _document(job)
    for figure in plan.paper.figures:
        _figure(replace(job, item=figure))
    if any(dataset.builtin for dataset in job.config.datasets.values()):
        _known_answers(job)
    _claims(job)
    _track(job)


def _outcome(job: Job) -> None:
    """Say what failed, after every table is complete.

    Raises:
        BenchmarkError: if any run failed; it names the first and counts the others.
    """
    plan, failed = job.plan(), []
    for dataset, method in plan.variants:
        for entry in json.loads(job.layout.results_index(dataset, method).read_text()):
            if entry["status"] == "failed":
                result = json.loads((job.layout.runs / entry["result"]).read_text())
                failed.append(f"{dataset}/{method}/{entry['variant']}: {result['reason']}")
    if failed:
        raise BenchmarkError(
            f"{len(failed)} runs failed, their rows say so; first {failed[0]}",
            where=job.layout.runs,
            fix="mend the method and run the same command again; if the cause has passed, "
            "with --forcerun train train_source (what is trained is kept)",
        )
    write_json(job.layout.root / "outcome.json", {"failed": 0})


def _write_index(
    job: Job, plan: Plan, stage: str, path: Path, entries: Sequence[Mapping[str, Any]]
) -> None:
    """Write a stage's list of files, with what they were made with."""
    from benchmark.verification.made_with import made_with  # noqa: PLC0415

    digests = made_with(plan, stage, job.dataset, job.method)
    write_json(path, [{**entry, "made_with": digests} for entry in entries])


def _bind_threads(threads: int) -> None:
    import torch  # noqa: PLC0415

    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    torch.use_deterministic_algorithms(True)


JOBS: dict[str, Callable[[Job], None]] = {
    "videos": _videos,
    "manifest": _manifest,
    "frames": _frames,
    "frames_part": _frames_part,
    "sound": _sound,
    "pretrain": _pretrain,
    "weights": _weights,
    "features": _features,
    "train": _train,
    "control": _control,
    "evaluate": _evaluate,
    "table": _table,
    "document": _document,
    "figure": _figure,
    "further_figure": _further_figure,
    "costs": _costs,
    "timing": _timing,
    "known_answers": _known_answers,
    "claims": _claims,
    "ledger": _ledger,
    "frontier": _frontier,
    "report": _report,
    "track": _track,
    "salvage": _salvage,
    "outcome": _outcome,
}


def finished_plan(results: str, profile: str) -> Plan:
    """Return the plan of a profile that has been run, wherever its results lie now.

    Raises:
        BenchmarkError: if it has not been run.
    """
    path = Path(results) / profile / "config.json"
    if not path.is_file():
        fix = f"run: snakemake --cores 2 --config profile={profile}"
        raise BenchmarkError("this profile has not been run", where=path, fix=fix)
    return make_plan(read_resolved(path).model_copy(update={"results": results}))


def read_resolved(path: Path) -> Config:
    """Read the settings that the workflow wrote for its jobs."""
    return Config.model_validate_json(path.read_text(encoding="utf-8"))
