import os
import re
import shlex
import sys
from pathlib import Path

from benchmark.config.load import load_profile
from benchmark.errors import BenchmarkError
from benchmark.experiment.layout import Layout, annotation_files, method_files
from benchmark.experiment.plan import make_plan
from benchmark.experiment.resources import THREADS_PER_GPU, job_resources, num_gpus
from benchmark.experiment.shown_runs import other_paper_profiles
from benchmark.experiment.stage_code import imported_files, stage_code
from benchmark.jobs.invocation import check_folders, check_invocation
from benchmark.jobs.preflight import check_files
from benchmark.reporting.artefacts import artefacts_of

ROOT = Path(workflow.basedir).parent


def checked_plan():
    """Read profile and methods; a fault of either ends the run here, with one message."""
    try:
        check_invocation(workflow, ROOT)
        plan = make_plan(load_profile(config))
        check_folders([plan.config.results])
        if workflow.is_main_process:
            check_files(plan.config)
        return plan
    except BenchmarkError as fault:
        sys.exit(f"error: {fault}")


PLAN = checked_plan()
LAYOUT = Layout.of(PLAN.config)
# Not in the commands of jobs: they are the same for profiles that share frames, which would
# otherwise make them anew.
os.environ.update(BENCHMARK_CONFIG=str(LAYOUT.config))

METHODS = dict(PLAN.methods)
ARTEFACTS = artefacts_of(PLAN.config)
SHOWN_BY_DEFAULT = [artefact for artefact in ARTEFACTS if not artefact.on_request]
FRAME_OWNERS = PLAN.config.frame_owners
BUILTIN = [name for name, d in PLAN.config.datasets.items() if d.builtin]
PRETRAINED = [
    role
    for role in PLAN.config.roles
    if PLAN.config.network(role).weights == "pretrained"
]
PUBLISHED = [role for role in PLAN.config.roles if PLAN.config.network(role).published]
LOCK = ROOT / "requirements.lock"
# Snakemake formats this path, so a brace in the name of the user's folder is doubled.
ENVIRONMENT = str(ROOT / "environment.yml").replace("{", "{{").replace("}", "}}")
# With --sdm conda the environment's own Python, otherwise the one that runs this.
PYTHON = "python" if workflow.deployment_settings.deployment_method else sys.executable
# The same for a shell; Snakemake formats commands, so a brace is doubled.
COMMAND = shlex.quote(PYTHON).replace("{", "{{").replace("}", "}}")
CONTROLS = [name for name, method in METHODS.items() if method.manifest.source]
SOURCES = sorted({METHODS[name].manifest.source.method for name in CONTROLS})

# Training waits for all of these, so that a fault in any video is said before it starts.
CHECKED = [
    *(LAYOUT.manifest(dataset) for dataset in PLAN.config.datasets),
    *(LAYOUT.frames(dataset) / "index.json" for dataset in FRAME_OWNERS),
]

# The backbone's features take two cores at once, and would wait for ever behind small trainings.
FEATURES = [] if PLAN.config.backbone.finetune else [LAYOUT.features_done("backbone")]

# On fewer cores than asked for, a job takes as many slots as keep each core to one thread.
CPUS = (
    len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
)
SLOTS = max(1, -(-(workflow.resource_settings.cores or 1) // CPUS))


def one_of(names):
    """Return a wildcard's constraint to some names; no name at all matches nothing."""
    return "|".join(map(re.escape, sorted(names))) or "(?!)"


wildcard_constraints:
    dataset=one_of(PLAN.config.datasets),
    method=one_of(PLAN.methods),
    seeds=r"\d+(-\d+)*",
    part=r"\d+",


def job(stage, *wildcards, **others):
    """Return the command of a stage's job; Snakemake quotes each value for the shell (`:q`).

    Where it fails, the log ends in its exit code.
    """
    values = {**{name: f"{{wildcards.{name}:q}}" for name in wildcards}, **others}
    words = " ".join(f"--{name} {value}" for name, value in values.items())
    return (
        f'{COMMAND} -m benchmark job {stage} --config "$BENCHMARK_CONFIG" {words} '
        "--threads {params.threads} --log {log:q} "
        '|| {{ code=$?; echo "exit code $code" >> {log:q}; exit $code; }}'
    )


def files_of(artefact):
    """Return all files of an artefact, its record with them."""
    return [LAYOUT.root / file for file in (*artefact.files, artefact.record)]


def files_in_report():
    """Return what the report shows: everything, but measured time only where it is there."""
    shown = [one for one in ARTEFACTS if one.is_repeatable or one.is_there(LAYOUT)]
    return [file for one in shown if one.name != "report" for file in files_of(one)]


def log_of(stage, *wildcards):
    """Return the path of a stage's log."""
    name = "-".join([stage, *(f"{{{wildcard}}}" for wildcard in wildcards)])
    return LAYOUT.logs / f"{name}.log"


def real_threads(wildcards, threads):
    """Return the threads that a job may start for the slots that it holds."""
    return max(1, threads // SLOTS)


def slots(stage, without_gpu=1):
    """Return the threads of a stage's job, which may have GPUs, as slots."""
    num = num_gpus(stage, PLAN.config.compute)
    return SLOTS * (num * THREADS_PER_GPU or without_gpu)


def resources_of(stage):
    """Return what a stage's job asks Snakemake for: GPUs, and nodes that train together."""
    return job_resources(stage, PLAN.config.compute)


def settings(stage):
    """Return an input function: the digest of the settings that a stage's jobs depend on."""

    def digest(wildcards):
        given = dict(wildcards.items())
        names = (given.get(key, "") for key in ("dataset", "method", "item"))
        return PLAN.settings_digest(stage, *names)

    return digest


def frames_of(wildcards):
    """Return the index of the frames that a dataset reads."""
    return LAYOUT.frames(PLAN.config.frames_name(wildcards.dataset)) / "index.json"


def parts_of_frames(wildcards):
    """Return what the jobs write that decode a dataset together; none where one does it all."""
    num_parts = PLAN.config.extraction_parts
    parts = range(num_parts) if num_parts > 1 else []
    return [LAYOUT.frames_part(wildcards.dataset, n, num_parts) for n in parts]


def sound_of(wildcards):
    """Return the index of the sound that a method's networks listen to; none where none does."""
    roles = PLAN.roles(wildcards.dataset, wildcards.method)
    owner = PLAN.config.frames_name(wildcards.dataset)
    is_audio = any(PLAN.config.network(role).is_audio for role in roles)
    return [LAYOUT.sound(owner) / "index.json"] if is_audio else []


def sound_of_network(wildcards):
    """Return the indices of all sound, for a network that listens."""
    is_audio = PLAN.config.network(wildcards.item).is_audio
    return [LAYOUT.sound(d) / "index.json" for d in FRAME_OWNERS] if is_audio else []


def weights_of(wildcards):
    """Return the file of a network's weights, where a job makes it."""
    made = wildcards.item in (*PRETRAINED, *PUBLISHED)
    return LAYOUT.weights(wildcards.item) if made else []


def given_weights(wildcards):
    """Return the user's file of a network's weights."""
    file = PLAN.config.network(wildcards.item).file
    path = PLAN.config.place(file) if file else None
    return path if path and path.is_file() else []  # the job says what is missing


def features_of(wildcards):
    """Return the features that a method reads; none where networks are fine-tuned with it.

    Those start from weights that a job makes.
    """
    roles = PLAN.roles(wildcards.dataset, wildcards.method)
    if not PLAN.config.backbone.finetune:
        return [LAYOUT.features_done(role) for role in roles]
    return [LAYOUT.weights(r) for r in roles if r in (*PRETRAINED, *PUBLISHED)]


def released_of(wildcards):
    """Return the files of a method's published weights."""
    return PLAN.checkpoints(wildcards.dataset, wildcards.method)


def code_of_method(wildcards):
    """Return the files of a method and of those that it builds on."""
    return method_files(METHODS, wildcards.method)


def listed_videos(wildcards):
    """Return what a manifest is built from: lists of videos, and a manifest that is shared."""
    dataset = PLAN.config.datasets[wildcards.dataset]
    lists = annotation_files(PLAN.config, wildcards.dataset)
    if not dataset.builtin:  # the job says what is missing
        lists = [path for path in lists if path.is_file()]
    return lists + ([LAYOUT.manifest(dataset.frames_of)] if dataset.frames_of else [])


def results_on_paper_datasets():
    """Return the lists of results of other profiles that may fill the ledger."""
    folders = [config.folder for config in other_paper_profiles(PLAN.config)]
    return sorted(p for folder in folders for p in folder.glob("runs/*/*/results.json"))


def read_by(artefact):
    """Return an input function: what an artefact reads beside the results of its profile."""
    sources = {
        "truth": lambda: [LAYOUT.videos(d) / "truth.jsonl" for d in BUILTIN],
        "frames": lambda: [LAYOUT.frames(d) / "index.json" for d in FRAME_OWNERS],
        "other profiles": results_on_paper_datasets,
        "LaTeX tables": lambda: [LAYOUT.tables / f"{t}.tex" for t in PLAN.paper.tables],
        "other artefacts": lambda: [*files_in_report(), ROOT / "CITATION.cff"],
    }

    def paths(wildcards):
        return [path for what in artefact.reads for path in sources[what]()]

    return paths


def rows_of_source(wildcards):
    """Return the prediction indices of the method whose rows a control re-reads."""
    dataset = wildcards.dataset
    source = PLAN.methods[wildcards.method].manifest.source.method
    return [
        LAYOUT.stage_index(dataset, source, "predictions", block)
        for block in PLAN.seed_blocks(dataset, source)
    ]


def predictions_of(wildcards):
    """Return the prediction indices of all seeds."""
    dataset, method = wildcards.dataset, wildcards.method
    return [
        LAYOUT.stage_index(dataset, method, "predictions", block)
        for block in PLAN.seed_blocks(dataset, method)
    ]
