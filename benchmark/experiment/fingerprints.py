"""What a stage's files were made with: settings and code, recorded beside their names."""

from __future__ import annotations

from benchmark.experiment.layout import method_files
from benchmark.experiment.plan import Plan
from benchmark.experiment.stage_code import stage_code
from benchmark.files.writing import digest_of_files

__all__ = ["made_with"]


def made_with(plan: Plan, stage: str, dataset: str, method: str) -> dict[str, str]:
    """Return digests of all but the data that a job depends on, as the workflow sees it.

    Args:
        plan: the profile.
        stage: 'train', 'predict' or 'evaluate'; the last runs no code of a method.
        dataset: the job's.
        method: the job's.
    """
    digests = {
        "settings": plan.settings_digest(stage, dataset, method),
        "harness": digest_of_files(stage_code(stage)),
    }
    if stage != "evaluate":
        digests["method"] = digest_of_files(method_files(dict(plan.methods), method))
    return digests
