"""An exit control reads rows of its source: those that were made of the data that is there now."""

import pytest

from benchmark.errors import DamagedFileError
from benchmark.evaluation.exit_controls import control_all
from benchmark.experiment.layout import Layout
from benchmark.experiment.stage_index import write_stage_index
from benchmark.training.dataset import open_dataset


@pytest.fixture
def say(small_plan):
    """Return a function that writes what the prediction job of FrameExit said of its variants."""
    plan = small_plan()

    def write(**said):
        for block in plan.seed_blocks("long", "frameexit"):
            entries = [
                {"variant": variant, "seed": seed, **facts}
                for variant, facts in said.items()
                for seed in block
            ]
            path = Layout.of(plan.config).stage_index("long", "frameexit", "predictions", block)
            write_stage_index(path, "predict", "long", "frameexit", entries)
        return plan

    return write


def _control(plan, method):
    return control_all(plan, "long", method, lambda done, of: None)


@pytest.mark.parametrize(
    ("digest", "message"),
    [
        ("another digest", "the rows of default were made of other data than are there now"),
        ("", r"default/seed0/predictions\.parquet: the file is missing"),
    ],
    ids=["of other data", "missing"],
)
def test_rows_that_are_not_those_of_the_source_end_the_job(small_plan, say, digest, message):
    digest = digest or open_dataset(small_plan().config, "long").digest
    plan = say(default={"data_digest": digest, "outputs": {}})
    with pytest.raises(DamagedFileError, match=message):
        _control(plan, "random_exit")


@pytest.mark.parametrize("failed", ["random", "default"])
def test_a_control_fails_with_any_of_the_variants_that_it_reads(say, failed):
    """Random drop reads the rows of `random`, and from those of `default` the mean exit step."""
    good = {"data_digest": "any", "outputs": {}}
    plan = say(**({"random": good, "default": good} | {failed: {"failed": "training: ..."}}))
    reasons = {entry["failed"] for entry in _control(plan, "random_drop")}
    assert reasons == {f"its source frameexit/{failed} failed"}
