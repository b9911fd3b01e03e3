"""The kinds of files from videos to features; see `kinds_of_files`."""

from __future__ import annotations

import spoiling
from case_of_damage import Case, Kind
from spoiling import edited, flipped, halved, resealed

__all__ = ["KINDS_OF_DATA"]

_LABELS, _MANIFEST = "data/multi/videos/labels.csv", "data/multi/manifest.csv"
_FRAMES, _FEATURES = "data/multi/frames", "features/multi/backbone"
_STORED = "networks/backbone.safetensors"

KINDS_OF_DATA: dict[str, Kind] = {
    "settings": Kind(
        ("config.json",),
        {
            "edited": Case(
                "config.json",
                edited('"learning_rate": 0.003', '"learning_rate": 0.004'),
                seen="made with other settings than the profile has now",
            )
        },
    ),
    "labels": Kind(
        ("data/*/videos/labels.csv",),
        {
            "edited": Case(
                _LABELS,
                spoiling.exchange_two_labels,
                ("manifest", "train", "evaluate"),
                seen=r"manifest\.csv: the manifest was built from other lists .*labels\.csv",
            )
        },
    ),
    "truth": Kind(
        ("data/*/videos/truth.jsonl",),
        {
            "edited": Case(
                "data/multi/videos/truth.jsonl",
                edited("easy", "hard"),
                ("pretrain", "known_answers"),
                seen=r"truth\.jsonl: the file is not the one that",
            )
        },
    ),
    "record of generated videos": Kind(
        ("data/*/videos/digests.json",),
        {
            "edited": Case(
                "data/multi/videos/digests.json",
                edited('": "', '": "0'),
                ("manifest", "pretrain"),
                seen=r"digests\.json: the record .* was changed",
            )
        },
    ),
    "manifest": Kind(
        ("data/*/manifest.csv",),
        {
            "edited": Case(
                _MANIFEST,
                edited(",train,", ",val,"),
                ("train", "frames", "evaluate", "control"),
                seen=r"manifest\.csv: the rows have digest",
            ),
            "relabelled and sealed": Case(
                _MANIFEST,
                spoiling.relabel,
                ("evaluate", "control"),
                seen=r"manifest\.csv does not follow from .*/labels\.csv",
                named="predictions_seeds0.json",
            ),
            "of older lists": Case(
                _MANIFEST,
                spoiling.put_back_a_manifest_of_other_lists,
                ("train", "evaluate"),
                seen=r"manifest\.csv: the manifest was built from other lists",
            ),
        },
    ),
    "header of the manifest": Kind(
        ("data/*/manifest.json",),
        {
            "edited": Case(
                "data/multi/manifest.json",
                edited('max_unreadable_fraction": 0', 'max_unreadable_fraction": 1'),
                ("train", "frames"),
                seen=r"manifest\.json: the record .* was changed",
            )
        },
    ),
    "facts about videos": Kind(
        ("data/*/manifest.facts.jsonl",),
        {
            "edited": Case(
                "data/multi/manifest.facts.jsonl",
                spoiling.change_facts,
                seen=r"manifest\.facts\.jsonl was changed in line 2",
            )
        },
    ),
    "frames": Kind(
        ("data/*/frames/shard-*.bin",),
        {
            "flipped": Case(
                f"{_FRAMES}/shard-00000.bin",
                spoiling.flip_frames_and_forget_features,
                ("features",),
                seen=r"shard-00000\.bin is not the file that",
            ),
            "halved": Case(
                f"{_FRAMES}/shard-00000.bin",
                halved,
                ("features", "train", "evaluate"),
                seen=r"shard-00000\.bin: the shard has \d+ bytes",
            ),
        },
    ),
    "index of frames": Kind(
        ("data/*/frames/index.json",),
        {
            "edited": Case(
                f"{_FRAMES}/index.json",
                edited('"positions":16', '"positions":15'),
                ("features", "train", "evaluate"),
                seen=r"frames/index\.json: the index was changed",
            )
        },
    ),
    "videos of frames": Kind(
        ("data/*/frames/videos.parquet",),
        {
            "edited": Case(
                f"{_FRAMES}/videos.parquet",
                spoiling.use_another_frame_rate,
                ("features", "evaluate", "known_answers"),
                seen=r"frames/index\.json: the index was changed",
                named="index.json",
            ),
            "older": Case(
                f"{_FRAMES}/videos.parquet",
                spoiling.put_back_an_older_index_of_frames,
                ("train", "evaluate", "control"),
                seen=r"backbone/index\.json: features were computed from other frames than",
                named="index.json|predictions_seeds0.json",
            ),
        },
    ),
    "weights of a network": Kind(
        ("networks/*.safetensors",),
        {
            "flipped": Case(
                _STORED,
                flipped,
                ("features", "train"),
                "pretrain",
                seen=r"networks/backbone\.safetensors: the tensors are not those that were written",
            ),
            "halved": Case(
                _STORED,
                halved,
                ("features",),
                "pretrain",
                seen=r"networks/backbone\.safetensors: no whole file of tensors",
            ),
            "older": Case(
                _STORED,
                spoiling.put_back_older_tensors,
                ("train",),
                seen=r"backbone/index\.json: features were computed from other weights than",
                named="index.json",
            ),
        },
    ),
    "features": Kind(
        ("features/*/*/features.npy",),
        {
            "flipped": Case(
                f"{_FEATURES}/features.npy",
                flipped,
                ("train",),
                "features",
                seen=r"features\.npy is not the file that",
            ),
            "halved": Case(
                f"{_FEATURES}/features.npy",
                halved,
                ("train",),
                "features",
                seen=r"features\.npy is not the file that",
            ),
        },
    ),
    "index of features": Kind(
        ("features/*/*/index.json",),
        {
            "shifted": Case(
                f"{_FEATURES}/index.json",
                spoiling.shift_first_rows,
                ("train",),
                "features",
                seen=r"features/multi/backbone/index\.json: the record .* was changed",
            ),
            "shifted and sealed": Case(
                f"{_FEATURES}/index.json",
                resealed("first_row", spoiling.shifted),
                ("train",),
                seen=r"features/multi/backbone/index\.json: its rows of \d+ videos",
                named="features.npy",
            ),
            "other costs, sealed": Case(
                f"{_FEATURES}/index.json",
                resealed("macs_per_input", lambda macs: macs + 1),
                (),
                "features",
                seen=r"features/multi/backbone/index\.json: charges other work",
            ),
            "of other frames": Case(
                f"{_FEATURES}/index.json",
                resealed("frames_digest", lambda digest: digest[::-1]),
                ("train",),
                "features",
                seen=r"backbone/index\.json: features were computed from other frames than",
            ),
        },
    ),
}
