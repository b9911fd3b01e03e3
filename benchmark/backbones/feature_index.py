"""The index of a feature store: which rows belong to which video, and what they were made of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from benchmark.errors import DamagedFileError
from benchmark.files.sealed import again, read_sealed_model

__all__ = [
    "COMPUTED_AGAIN",
    "FEATURES_FILE",
    "INDEX_FILE",
    "FeatureIndex",
    "read_feature_index",
]

COMPUTED_AGAIN = again("features")
FEATURES_FILE, INDEX_FILE = "features.npy", "index.json"


class FeatureIndex(BaseModel):
    """What `index.json` says of a feature store.

    Attributes:
        videos: N ids, in the order of the rows.
        inputs_digest: of the videos and positions that were asked for; none where every stored
            frame has features.
        first_row: of each video, and the number of all rows: `[N + 1]`.
        rows_digests: of the rows of each video: `[N]`.
        sha256: of `features.npy`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[4] = 4
    frames_digest: str
    weights_digest: str
    size: int
    num_frames: int
    macs_per_input: int
    videos: tuple[str, ...]
    inputs_digest: str | None
    sound_digest: str | None
    first_row: tuple[int, ...] = ()
    rows_digests: tuple[int, ...] = ()
    sha256: str = ""

    def of_rows(
        self, first_row: Sequence[int], rows_digests: Sequence[int], sha256: str
    ) -> FeatureIndex:
        """Return the index with what is known once the features are computed."""
        found = {"first_row": tuple(first_row), "rows_digests": tuple(rows_digests)}
        return self.model_copy(update={**found, "sha256": sha256})

    def check_origin(
        self,
        folder: Path,
        frames_digest: str,
        sound_digest: str | None,
        weights_digest: str | None,
    ) -> None:
        """Compare what the features were computed from with what is stored now.

        Args:
            folder: of the feature store.
            frames_digest: of the frames that are stored now.
            sound_digest: of the sound, where a network listens.
            weights_digest: of the network as it is now; None where the caller has just used it.

        Raises:
            DamagedFileError: if the frames, the weights, or the sound that was listened to differ.
        """
        other = {
            "frames than are": self.frames_digest != frames_digest,
            "sound than is": self.sound_digest not in {None, sound_digest},
            "weights than are": weights_digest not in {None, self.weights_digest},
        }
        for what in (name for name, differs in other.items() if differs):
            raise DamagedFileError(
                f"features were computed from other {what} stored now",
                where=folder / INDEX_FILE,
                fix=COMPUTED_AGAIN,
            )


def read_feature_index(folder: Path) -> FeatureIndex:
    """Read the index of a feature store.

    Raises:
        DamagedFileError: if there is none, or it was changed.
    """
    path = folder / INDEX_FILE
    return read_sealed_model(path, FeatureIndex, "feature store", COMPUTED_AGAIN)
