"""A method that fails is a row with its reason; nothing else changes, and nothing else runs."""

import csv
import json
import shutil

import pytest
from workflow_runs import Workflow, last_error

pytestmark = pytest.mark.dag

MANIFEST = """\
name: {name}
label: {name}
kind: {kind}
summary: A test.
licence: Apache-2.0
{more}
variants:
  default: {{label: {name}, shown_in: {{table2: {name}}}}}
"""
METHOD = """\
from dataclasses import dataclass
import torch
from benchmark.contract import EarlyExit, Stage
from benchmark.layers import classification_loss, probabilities

@dataclass(frozen=True)
class Params:
    pass

class Method(EarlyExit):
    Params = Params
    num_steps = 2

    def __init__(self, task, params):
        super().__init__(task, params)
        self.layer = torch.nn.Linear(task.num_features, task.num_classes)

    @property
    def stages(self):
        return [Stage("all", (), 10, ())]

    def visit(self, videos):
        return torch.tensor([[0, 7]]).expand(len(videos), 2)

    def loss(self, stage, videos):
        logits = self.layer(videos.features(self.visit(videos)))
        return classification_loss(logits, videos.targets).mean()

    def step(self, step, features, state, videos):
        return features

    def classify(self, step, state, videos):
        with videos.component("classifier"):
            logits = self.layer(state)
        return probabilities(logits, multi_label=self.task.multi_label)
"""
CONTROL = """\
from dataclasses import dataclass
from benchmark.contract import ExitControl

@dataclass(frozen=True)
class Params:
    pass

class Method(ExitControl):
    Params = Params

    def exit_steps(self, test, train, targets, seed):
        return test.exit_step + 100
"""
# Name, what of METHOD is replaced, and what the row says.
FAILING = {
    "fails_in_import": (("import torch", "import torch, unheard_of"), "does not import"),
    "fails_in_training": (
        (
            "    def loss(self, stage, videos):\n",
            "    def loss(self, stage, videos):\n        1 / 0\n",
        ),
        "training: ZeroDivisionError: division by zero",
    ),
    "fails_in_prediction": (
        ("        return features\n", "        raise RuntimeError('lost the thread')\n"),
        "prediction: RuntimeError: lost the thread",
    ),
    "gives_no_numbers": (
        ("self.layer(state)\n", "self.layer(state) * float('nan')\n"),
        "prediction: FloatingPointError: scores are not finite",
    ),
    "runs_an_unknown_op": (
        (
            "        return features\n",
            "        return torch.linalg.matrix_exp(features[:, :, None])\n",
        ),
        "prediction: ",
    ),
}


@pytest.fixture(scope="module")
def with_failures(tiny_run, tmp_path_factory):
    """Return a run with six more methods, five of which fail, and a failing control."""
    folder = tmp_path_factory.mktemp("failures")
    shutil.copytree(tiny_run.folder, folder, dirs_exist_ok=True)
    own = tmp_path_factory.mktemp("own_methods")

    def write(name, code, kind="baseline", more=""):
        (own / name).mkdir()
        (own / name / "method.py").write_text(code)
        (own / name / "method.yaml").write_text(MANIFEST.format(name=name, kind=kind, more=more))

    write("two_frames", METHOD)
    write("control_fails", CONTROL, "control", "source: {method: frameexit}")
    for name, (change, _) in FAILING.items():
        assert change[0] in METHOD
        write(name, METHOD.replace(*change))
    before = _times(Workflow(folder, tiny_run.profile))
    run = Workflow(folder, tiny_run.profile, {"methods_path": str(own)})
    return run, *run.run(), before


def _times(run):
    """Return when each file of training, prediction and evaluation was written."""
    return {
        str(path.relative_to(run.results)): path.stat().st_mtime_ns
        for path in run.results.glob("runs/**/*")
        if path.is_file()
    }


def _result(run, name):
    return json.loads(
        next(run.results.glob(f"runs/multi/{name}/default/*/result.json")).read_text()
    )


@pytest.mark.parametrize(("name", "reason"), [(n, reason) for n, (_, reason) in FAILING.items()])
def test_a_failed_method_is_a_row_with_its_reason(with_failures, name, reason):
    result = _result(with_failures[0], name)
    assert (result["status"], result["metrics"], result["macs_per_video"]) == ("failed", {}, None)
    assert reason in result["reason"]


def test_a_failed_control_is_a_row_too(with_failures):
    result = _result(with_failures[0], "control_fails")
    assert result["status"] == "failed"
    assert "IndexError" in result["reason"]


def test_everything_else_is_complete(with_failures, tiny_run):
    run = with_failures[0]
    good = _result(run, "two_frames")
    assert good["status"] == "ok"
    assert good["frames_per_video"] == 2
    with (run.results / "tables" / "table2.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {*FAILING, "two_frames", "control_fails"} <= {
        cell for row in rows for cell in row.values()
    }
    old, new = tiny_run.numbers(), run.numbers()
    runs = [name for name in old if name.startswith("runs/")]
    assert len(runs) > 10
    assert [name for name in runs if new[name] != old[name]] == []


def test_the_exit_code_and_the_last_words_tell(with_failures):
    _, code, printed, _ = with_failures
    assert code != 0
    said = last_error(printed)
    assert said.startswith("error: outcome: ")
    assert "6 runs failed, their rows say so; first multi/control_fails/default" in said
    assert "Fix: mend the method and run the same command again" in said


def test_adding_and_removing_methods_runs_no_other_methods_jobs(with_failures, tiny_run):
    run, _, _, before = with_failures
    after = _times(run)
    assert {name: after[name] for name in before} == before
    added = {name.split("/")[2] for name in set(after) - set(before)}
    assert added == {*FAILING, "two_frames", "control_fails"}
    without = Workflow(run.folder, tiny_run.profile)
    without.run_well()
    assert _times(run) == after
    for path in tiny_run.results.glob("tables/*.csv"):
        assert (run.results / "tables" / path.name).read_bytes() == path.read_bytes()
