"""Checks of what a method says it is: its manifest, its import, and that it can be built."""

from __future__ import annotations

import numpy as np
import torch

from benchmark.checks.control import ControlRun
from benchmark.checks.subject import SEED, Subject
from benchmark.checks.world import World
from benchmark.contract import Method
from benchmark.errors import BenchmarkError, did_you_mean
from benchmark.experiment.paper import load_paper
from benchmark.files.text import read_text
from benchmark.methods.loading import make_params
from benchmark.step_records import StepRecords

__all__ = ["build", "manifest"]

_TASKS = [(classes, several) for classes in (2, 200) for several in (False, True)]


def manifest(subject: Subject) -> list[str]:
    """Whoever reads a table can find out what a row is, where it comes from and how it is licensed.

    A README, the label, the summary and the licence are there, the paper of what calls itself a
    method too; every variant has valid parameters and stands in known tables.
    """
    said, folder = subject.manifest, subject.folder.folder
    readme = folder / "README.md"
    faults = []
    if not readme.is_file() or not read_text(readme).strip():
        faults.append("README.md is missing or empty: write down the idea and what was decided")
    for key in ("label", "summary", "licence"):
        if not getattr(said, key).strip():
            faults.append(f"method.yaml: {key} is empty")
    if said.kind == "method" and said.paper is None:
        faults.append("method.yaml: a method names its paper; without one it is kind: baseline")
    if said.paper is not None and not said.paper.link.startswith(("http://", "https://")):
        faults.append(f"method.yaml: paper.link '{said.paper.link}' is no link")
    return faults + _variant_faults(subject) + _trade_off_faults(subject)


def _variant_faults(subject: Subject) -> list[str]:
    paper, faults = load_paper(), []
    shown = [*paper.tables, *paper.figures]
    for name, variant in subject.manifest.variants.items():
        for table in variant.shown_in:
            if table not in shown:
                hint = did_you_mean(table, shown)
                faults.append(f"variant '{name}' is shown in unknown '{table}'{hint}")
        for on in ({}, *subject.manifest.params_on.values()):
            try:
                make_params(subject.kind, {**on, **variant.params}, f"variant '{name}'")
            except BenchmarkError as fault:
                faults.append(str(fault))
    return faults


def _trade_off_faults(subject: Subject) -> list[str]:
    trade = subject.manifest.trade_off
    if trade is None:
        return []
    faults = (
        ["trade_off: cheap and expensive are the same"] if trade.cheap == trade.expensive else []
    )
    for value in (trade.cheap, trade.expensive):
        try:
            subject.params(changes={trade.param: value})
        except BenchmarkError as fault:
            faults.append(f"trade_off: {fault}")
    return faults


def build(subject: Subject) -> list[str]:
    """A method runs on any dataset: few classes or many, one label a video or several.

    Every variant is built for 2 and for 200 classes, single- and multi-label, and gives scores of
    the right shape, finite and in 0..1, and a scalar loss with a gradient in each stage. An exit
    control gives a step from 1 to the last for every video.
    """
    faults: list[str] = []
    for num_classes, several in _TASKS:
        title = f"{num_classes} classes, {'several labels' if several else 'one label'}"
        if subject.is_control:
            world = subject.source.world.labelled(num_classes, multi_label=several)
            faults += [f"{title}: {fault}" for fault in _exit_faults(subject, world)]
            continue
        world = subject.world.labelled(num_classes, multi_label=several)
        for name in subject.manifest.variants:
            method = subject.build(subject.params(name), world)
            rows = subject.rows(method, world.test[:3], world=world)
            found = [*_score_faults(rows, num_classes), *_loss_faults(method, world)]
            faults += [f"{title}: variant '{name}' {fault}" for fault in found]
    return faults


def _score_faults(rows: StepRecords, num_classes: int) -> list[str]:
    scores = rows.scores
    if scores.shape[2] != num_classes:
        return [f"gives {scores.shape[2]} scores a video"]
    if not np.isfinite(scores).all():
        return ["gives scores that are not finite"]
    low, high = float(scores.min()), float(scores.max())
    tolerance = 1e-5  # of a sum of rounded probabilities
    if low < -tolerance or high > 1 + tolerance:
        return [f"gives scores from {low:.3g} to {high:.3g}, not probabilities"]
    return []


def _loss_faults(method: Method, world: World) -> list[str]:
    faults = []
    for stage in method.stages:
        for role in stage.finetunes:
            if role not in world.networks:
                hint = did_you_mean(role, world.networks)
                faults.append(f"stage '{stage.name}' fine-tunes unknown network '{role}'{hint}")
        sources = world.sources(stored=True)
        videos = world.videos(world.train[:4], sources, SEED, labelled=True)
        loss = method.loss(stage.name, videos)
        if loss.shape != torch.Size([]) or not loss.requires_grad or not torch.isfinite(loss):
            faults.append(f"has no finite scalar loss with a gradient in stage '{stage.name}'")
    return faults


def _exit_faults(subject: Subject, world: World) -> list[str]:
    faults, run = [], ControlRun(subject, world)
    for name in subject.manifest.variants:
        exits = run.exits(subject.params(name))
        last = run.test.num_steps
        if exits.shape != (run.test.num_videos,) or exits.dtype.kind != "i":
            faults.append(f"variant '{name}' does not give one whole number a video")
        elif exits.min() < 1 or exits.max() > last:
            given = f"{exits.min()} to {exits.max()}"
            faults.append(f"variant '{name}' gives steps from {given}, not from 1 to {last}")
    return faults
