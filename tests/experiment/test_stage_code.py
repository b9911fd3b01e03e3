"""A stage depends on the code that it imports, and on no other."""

import pytest
from rooms import imports_of_modules

from benchmark.experiment.paper import load_paper
from benchmark.experiment.stage_code import imported_files, stage_code
from benchmark.files.repository import PACKAGE
from benchmark.reporting.artefacts import artefacts_of

STAGES = ("videos", "manifest", "frames", "sound", "pretrain", "weights", "features", "costs")
STAGES += ("train", "predict", "evaluate", "track")


def names(files):
    return {str(path.relative_to(PACKAGE)) for path in files}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_all_that_its_modules_import(stage):
    imports, found = imports_of_modules(), names(stage_code(stage))
    modules = {
        f"benchmark.{name.removesuffix('.py').removesuffix('/__init__').replace('/', '.')}"
        for name in found
        if name.endswith(".py") and name != "__init__.py"
    }
    missing = {other for module in modules for other in imports[module]} - modules - {"benchmark"}
    assert missing == set()


def test_an_edit_of_the_parameters_of_methods_trains_and_predicts_anew():
    for stage in ("train", "predict"):
        assert "methods/loading.py" in names(stage_code(stage))
    assert "methods/loading.py" not in names(stage_code("frames"))


def test_an_edit_of_one_artefact_makes_no_other_one_anew(small_plan):
    artefacts = {one.name: one for one in artefacts_of(small_plan().config)}
    code = {name: names(imported_files((one.dotted_module,))) for name, one in artefacts.items()}
    for name in (*load_paper().tables, *load_paper().figures, "claims"):
        assert not any("ledger" in file or "frontier" in file for file in code[name]), name
        assert "reporting/artefacts.py" not in code[name]
    assert "reporting/ledger/files.py" in code["ledger"]
    assert "reporting/report/templates/style.css" in code["report"]
    assert "experiment/paper.yaml" in code["table1"]


def test_predictions_do_not_depend_on_what_is_shown_of_them():
    assert not any(file.startswith("reporting/") for file in names(stage_code("predict")))
    assert not any(file.startswith("evaluation/") for file in names(stage_code("train")))
