"""Exit controls: the stored rows of another method under another exit rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmark.contract import ExitControl
from benchmark.errors import DamagedFileError
from benchmark.evaluation.predict import (
    Progress,
    audit_run,
    digests_of_files,
    entry_of,
    facts_of_run,
)
from benchmark.evaluation.rows import TEST_ROWS, TRAIN_ROWS, checked_output, load_steps
from benchmark.experiment.layout import RunKey
from benchmark.experiment.plan import Plan
from benchmark.experiment.stage_index import read_stage_index
from benchmark.files.sealed import again
from benchmark.methods.loading import load_method, make_params
from benchmark.seeds import derive_seed
from benchmark.step_records import StepRecords
from benchmark.training.trainer import Trainer

__all__ = ["audit_stored", "control_all"]

Sources = dict[RunKey, tuple[Path, dict[str, Any]]]
"""What the prediction jobs of the source said of each run, and in which file."""


def control_all(plan: Plan, dataset: str, method: str, progress: Progress) -> list[dict[str, Any]]:
    """Write the rows of every variant of an exit control, for all seeds.

    Raises:
        DamagedFileError: if rows of the source are not as its prediction job left them.
    """
    source = plan.methods[method].manifest.source
    assert source is not None, "an exit control has a source"
    runs = plan.layout.runs
    trainer = Trainer(plan, dataset, source.method)
    sources = _sources(plan, dataset, source.method)
    entries: list[dict[str, Any]] = []
    keys = plan.runs(dataset, method)
    for key in keys:
        origin = RunKey(dataset, source.method, source.variant, key.seed)
        failed = [
            {"failed": f"its source {source.method}/{variant} failed"}
            for variant in (source.variant, source.budget or source.variant)
            if "outputs" not in sources[RunKey(dataset, source.method, variant, key.seed)][1]
        ]

        def run(key: RunKey = key, origin: RunKey = origin) -> dict[str, Any]:
            control, read = _control(plan, key), _rows_read(plan, key, sources, trainer.data.digest)
            steps = _control_run(plan, trainer, key, control, read)
            first = key.seed == plan.config.seeds[0]
            audit = audit_run(trainer, origin, steps, control) if first else []
            facts = facts_of_run(trainer, origin, control.params, steps)
            return {"audit": audit, **facts, "inputs": digests_of_files(read.values(), runs)}

        entries.append(entry_of(plan, key, failed[0] if failed else None, run))
        progress(len(entries), len(keys))
    return entries


def audit_stored(plan: Plan, key: RunKey, num_videos: int) -> list[str]:
    """Audit the stored rows of a finished run, of a method or of an exit control."""
    steps = load_steps(plan.layout.runs, key, answers_only=True)
    source = plan.methods[key.method].manifest.source
    if source is None:
        trainer = Trainer(plan, key.dataset, key.method)
        return audit_run(trainer, key, steps, num_videos=num_videos)
    trainer = Trainer(plan, key.dataset, source.method)
    origin = RunKey(key.dataset, source.method, source.variant, key.seed)
    return audit_run(trainer, origin, steps, _control(plan, key), num_videos)


def _sources(plan: Plan, dataset: str, method: str) -> Sources:
    layout, found = plan.layout, Sources()
    for block in plan.seed_blocks(dataset, method):
        path = layout.stage_index(dataset, method, "predictions", block)
        for entry in read_stage_index(path, "predict", dataset, method):
            found[RunKey(dataset, method, entry["variant"], entry["seed"])] = (path, entry)
    return found


def _rows_read(plan: Plan, key: RunKey, sources: Sources, digest: str) -> dict[str, Path]:
    """Return the rows that an exit control reads: 'test' and, where it asks, 'train', 'budget'.

    Raises:
        DamagedFileError: if they are not as they were written, or of data of another digest.
    """
    source = plan.methods[key.method].manifest.source
    assert source is not None, "an exit control has a source"

    def rows(variant: str, name: str) -> Path:
        origin = RunKey(key.dataset, source.method, variant, key.seed)
        record, entry = sources[origin]
        if entry["data_digest"] != digest:
            what = f"the rows of {variant} were made of other data than are there now"
            raise DamagedFileError(what, where=record, fix=again(record))
        return checked_output(plan.layout.runs, origin, name, entry["outputs"], record)

    paths = {"test": rows(source.variant, TEST_ROWS)}
    if source.train_steps:
        paths["train"] = rows(source.variant, TRAIN_ROWS)
    if source.budget is not None:
        paths["budget"] = rows(source.budget, TEST_ROWS)
    return paths


def _control(plan: Plan, key: RunKey) -> ExitControl:
    kind: type[ExitControl] = load_method(plan.methods[key.method])
    where = f"{plan.methods[key.method].folder / 'method.yaml'}: {key.variant}"
    return kind(make_params(kind, plan.params(key.dataset, key.method, key.variant), where))


def _control_run(
    plan: Plan, trainer: Trainer, key: RunKey, control: ExitControl, paths: dict[str, Path]
) -> StepRecords:
    read = {
        name: StepRecords.load(path, answers_only=name == "budget") for name, path in paths.items()
    }
    test = read["test"]
    if "budget" in read:
        control.budget_steps = float(read["budget"].exit_step.mean())
    seed = derive_seed(key.dataset, key.method, key.variant, key.seed)
    targets = trainer.data.manifest.targets(test.video_ids.tolist())
    exits = control.exit_steps(test, read.get("train"), targets, seed)
    steps = test.exiting_at(exits, charged=control.charged, uncharged=control.uncharged)
    steps.save(key.folder(plan.layout.runs) / TEST_ROWS)
    return steps
