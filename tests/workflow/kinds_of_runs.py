"""The kinds of files from trained methods to tables; see `kinds_of_files`."""

from __future__ import annotations

import spoiling
from case_of_damage import Case, Kind
from spoiling import deleted, edited, exchanged, flipped, halved, resealed

__all__ = ["KINDS_OF_RUNS"]

RUNS = "runs/multi"
GATED = f"{RUNS}/frameexit/default/seed0"
OTHER = "../../beta_1e-2/seed0"
# Of the claims, one is about this dataset, at other values of beta than FrameExit's default.
OF_DEFAULT = frozenset({"table2", "known_answers"})
OF_OTHERS = frozenset({"table2", "claims"})

KINDS_OF_RUNS: dict[str, Kind] = {
    "checkpoints": Kind(
        ("runs/*/*/checkpoints/*.safetensors",),
        {
            "of another stage": Case(
                f"{RUNS}/frameexit/checkpoints/classifiers-*.safetensors",
                spoiling.copy_over("gates-*"),
                (),
                "train",
                seen=r"frameexit/checkpoints/classifiers-.*\.safetensors is not the file that",
            )
        },
    ),
    "list of checkpoints": Kind(
        ("runs/*/*/training_seeds*.json",),
        {
            "edited": Case(
                f"{RUNS}/frameexit/training_seeds0.json",
                edited('": "', '": "0'),
                (),
                "train",
                seen=r"frameexit/training_seeds0\.json: the record .* was changed",
            )
        },
    ),
    "list of rows": Kind(
        ("runs/*/*/predictions_seeds*.json",),
        {
            "edited": Case(
                f"{RUNS}/frameexit/predictions_seeds0.json",
                edited('num_parameters": ', 'num_parameters": 1'),
                ("evaluate", "control"),
                "train",
                seen=r"frameexit/predictions_seeds0\.json: the record .* was changed",
            ),
            "of other code and data": Case(
                f"{RUNS}/frameexit/predictions_seeds0.json",
                spoiling.name_other_code_and_data,
                seen="other code than the harness has now; .* other code than the method has now; "
                ".* made of another manifest, other frames, features or weights than are there",
            ),
            "of another method": Case(
                f"{RUNS}/uniform_k/predictions_seeds0.json",
                exchanged("../random_k/predictions_seeds0.json"),
                ("evaluate_uniform_k",),
                seen=r"predictions_seeds0\.json: it lists the files of",
                tables=OF_OTHERS,
            ),
        },
    ),
    "rows": Kind(
        ("runs/*/*/*/seed*/predictions.parquet",),
        {
            "edited": Case(
                f"{GATED}/predictions.parquet",
                spoiling.stop_at_the_first_step,
                ("evaluate", "control", "known_answers", "exits"),
                "train",
                seen=r"default/seed0/predictions\.parquet is not the file that",
                tables=OF_DEFAULT,
            ),
            "of another run": Case(
                f"{GATED}/predictions.parquet",
                exchanged(f"{OTHER}/predictions.parquet"),
                ("evaluate",),
                seen=r"seed0/predictions\.parquet is not the file that",
                tables=OF_DEFAULT,
                named=r"seed0/predictions\.parquet",
            ),
            "halved": Case(
                f"{GATED}/predictions.parquet",
                halved,
                ("evaluate",),
                seen=r"default/seed0/predictions\.parquet is not the file that",
                tables=OF_DEFAULT,
            ),
        },
    ),
    "rows of training videos": Kind(
        ("runs/*/*/*/seed*/train_predictions.parquet",),
        {
            "edited": Case(
                f"{GATED}/train_predictions.parquet",
                spoiling.stop_at_the_first_step,
                ("control_of_training_rows",),
                "train",
                seen=r"train_predictions\.parquet is not the file that",
                tables=OF_DEFAULT,
            )
        },
    ),
    "log of the training": Kind(
        ("runs/*/*/*/seed*/training.jsonl",),
        {
            "edited": Case(
                f"{GATED}/training.jsonl",
                edited('"loss": ', '"loss": 1'),
                ("track",),
                "train",
                seen=r"training\.jsonl is not the file that",
                tables=OF_DEFAULT,
            )
        },
    ),
    "result": Kind(
        ("runs/*/*/*/seed*/result.json",),
        {
            "edited": Case(
                f"{GATED}/result.json",
                edited(r'"map": 0\.', '"map": 0.9'),
                ("table", "track"),
                "evaluate",
                seen=r"^results/[^ ]*/default/seed0/result\.json: the record .* was changed",
                tables=OF_DEFAULT,
            ),
            "of another run": Case(
                f"{GATED}/result.json",
                exchanged(f"{OTHER}/result.json"),
                ("table", "known_answers"),
                seen=r"seed0/result\.json: the file is not the one that",
                tables=OF_DEFAULT,
            ),
            "older": Case(
                f"{GATED}/result.json",
                resealed("num_parameters", lambda number: number + 1),
                ("table", "known_answers"),
                "evaluate",
                seen=r"default/seed0/result\.json: the file is not the one that",
                tables=OF_DEFAULT,
            ),
            "edited with its list": Case(
                f"{GATED}/result.json",
                spoiling.edit_a_result_and_its_list,
                (),
                "evaluate",
                seen=r"default/seed0/result\.json: metrics not as the rows give",
                tables=OF_DEFAULT,
            ),
        },
    ),
    "resamples": Kind(
        ("runs/*/*/*/seed*/replicates.npy",),
        {
            "flipped": Case(
                f"{GATED}/replicates.npy",
                flipped,
                ("table",),
                "evaluate",
                seen=r"^results/[^ ]*/default/seed0/replicates\.npy: the file is not the one",
                tables=OF_DEFAULT,
            ),
            "of another run": Case(
                f"{GATED}/replicates.npy",
                exchanged(f"{OTHER}/replicates.npy"),
                ("table",),
                seen=r"seed0/replicates\.npy: the file is not the one",
                tables=OF_DEFAULT,
            ),
            "edited with their records": Case(
                f"{GATED}/replicates.npy",
                spoiling.edit_resamples_and_their_records,
                seen=r"default/seed0/replicates\.npy is not as the rows give",
                tables=OF_DEFAULT,
            ),
        },
    ),
    "list of results": Kind(
        ("runs/*/*/results.json",),
        {
            "edited": Case(
                f"{RUNS}/frameexit/results.json",
                edited('"status": "ok"', '"status": "failed"'),
                ("table", "outcome"),
                "evaluate",
                seen=r"frameexit/results\.json: the record .* was changed",
            ),
            "missing": Case(
                f"{RUNS}/random_k/results.json",
                deleted,
                ("outcome",),
                seen=r"random_k/results\.json: no list of files",
                tables=OF_OTHERS,
            ),
        },
    ),
    "tables": Kind(
        ("tables/*.csv", "tables/*.md", "tables/*.tex"),
        {
            "edited": Case(
                "tables/table2.csv",
                edited(r"measured,1,\d\d", "measured,1,77"),
                (),
                "table",
                seen=r"tables/table2\.csv:\d+: not what the results give",
                tables=frozenset({"table2"}),
            ),
            "edited for readers": Case(
                "tables/table2.md",
                edited(r"\| \d\d\.\d", "| 77.7"),
                (),
                "table",
                seen=r"tables/table2\.md:\d+: not what the results give",
                tables=frozenset({"table2"}),
            ),
            "missing": Case(
                "tables/table2.tex",
                deleted,
                (),
                "table",
                seen=r"tables/table2\.tex is missing",
                tables=frozenset({"table2"}),
            ),
        },
    ),
    "figures": Kind(
        ("figures/*.csv", "figures/*.svg", "figures/*.png"),
        {
            "edited": Case(
                "figures/figure6.csv",
                edited(r"\d\d\.\d", "77.7"),
                (),
                "figure6",
                seen=r"figures/figure6\.csv:\d+: not what the results give",
                tables=frozenset({"figure6"}),
            ),
            "flipped": Case(
                "figures/figure6.png",
                flipped,
                (),
                "figure6",
                seen=r"figures/figure6\.png is not the file that",
                tables=frozenset({"figure6"}),
            ),
        },
    ),
    "records of tables and figures": Kind(
        ("tables/*.sources.json", "figures/*.sources.json"),
        {
            "edited": Case(
                "tables/table2.sources.json",
                edited('": "', '": "0'),
                (),
                "table",
                seen=r"tables/table2\.sources\.json: the record .* was changed",
                tables=frozenset({"table2"}),
            ),
            "missing": Case(
                "tables/table3.sources.json",
                deleted,
                (),
                seen=r"tables/table3\.sources\.json: no record of table3",
                tables=frozenset({"table3"}),
            ),
        },
    ),
}
