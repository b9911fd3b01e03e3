"""What a method must provide: the whole contract, and its manual.

A method is a folder `methods/<name>/` with `method.yaml` (what it is, its variants and the tables
they stand in), `method.py` (one class named `Method`) and `README.md`. The harness owns seeds,
data order, batching, devices, cost, checkpoints and every file; a method owns its network, its
losses and its decisions. It sees videos only through the `Videos` that it is handed.

Required of a subclass of `SinglePass` or `EarlyExit` (both are a `Method`, a `torch.nn.Module`)
    Params              a frozen dataclass: the method's parameters with their defaults
    __init__            builds the network for a `Task`; all randomness comes from torch's
                        global generator, which the harness has seeded
    stages              the training stages in order; variants that agree in the parameters
                        that a stage names share that stage's weights
    loss                the training loss of one stage on a batch of videos: a scalar tensor

Optional
    trainable           the parameters that a stage trains (default: all)
    candidates          the stored positions that it may ever open, if they are few: then features
                        of networks that a stage leaves alone are computed once for all variants

Required of a subclass of `SinglePass`, which answers once for each video
    predict             scores for a batch of videos

Required of a subclass of `EarlyExit`, which looks at a video frame by frame
    num_steps           T, the most frames it may open
    visit               the stored positions to open, in order: `[N, T]`
    step                take in the features of one frame, return the new state
    classify            scores from the state, run for the videos that stop here

Optional there
    exit_value          a number in 0..1 for each video; above `exit_threshold` it stops

Required of a subclass of `ExitControl`, which re-reads the stored steps of another method's run
and chooses other exits from them, without running a network
    exit_steps          1-based exit step of each video: `[N]`
    charged             the components that its rule must run at every step

What a method is handed: `videos`, a view of N videos (benchmark/videos.py)
    features            `videos.features(positions, 'light')` opens frames, or clips, and returns
                        `[N, K, D]` of a network that method.yaml names by role; the work is
                        charged to the component of that name. The role 'sound' is given the
                        second of sound around each position and opens no frame: hearing costs
                        its network's MACs, and neither frames nor pixels
    device              where features, targets and the method's parameters are, a GPU perhaps.
                        What a method makes itself goes there too: constants as buffers that are
                        not persistent, the rest by `features.new_zeros` or `.to(videos.device)`;
                        positions, rows and what `predict` returns may be anywhere
    select              narrows the view to some videos, with repetition where a video has several
                        frames in the batch: how a method skips, exits or branches for each video
    component           `with videos.component('gate'):` charges what runs inside to that name and
                        to the videos of the view, equally; work outside any component is charged
                        to 'other' and shown
    candidates          equally spaced frames, or where equally spaced clips begin, of the network
                        that will look at them; `num_inputs` and `starts` for other choices
    random              numbers that belong to a video and to the run's seed, in any batch the same
    lengths, targets    stored frames; labels, in training only
    progress            share of the stage's training that is done, for temperatures and weights

What is stored of a method: parameters and buffers. What training changes beside parameters, or
chance decides in `__init__`, must be a buffer. After each stage the harness fills another instance
from the stage's checkpoint, and a run whose two instances answer differently fails, with the name
of what is neither a parameter nor a buffer.

`docs/contract_in_use.md` says which of these calls each kind of method makes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from benchmark.config.datasets import Loss

if TYPE_CHECKING:
    from benchmark.step_records import StepRecords
    from benchmark.videos import Videos

__all__ = [
    "EarlyExit",
    "ExitControl",
    "Method",
    "NetworkInfo",
    "Prediction",
    "SinglePass",
    "Stage",
    "Task",
]


@dataclass(frozen=True)
class NetworkInfo:
    """A feature extractor that a method asked for.

    Attributes:
        num_features: D, of one input.
        num_frames: L, consecutive stored frames of one input; more than 1 for a clip network, 0
            for one that listens.
        size: side of the input in pixels; 0 for a network that listens.
        macs: of one input.
    """

    num_features: int
    num_frames: int
    size: int
    macs: int


@dataclass(frozen=True)
class Task:
    """What is to be recognised, and what the networks give.

    Attributes:
        classes: names of the classes, in the order of the scores.
        multi_label: whether a video may have several labels.
        num_features: D, features of one frame by the backbone; 0 where it was not asked for.
        head_units: units of a frame head (FrameExit: 4096; a profile may scale it).
        networks: by role, those that method.yaml names.
        stated_loss: of the profile, where it names one.
    """

    classes: tuple[str, ...]
    multi_label: bool
    num_features: int
    head_units: int
    networks: Mapping[str, NetworkInfo] = field(default_factory=dict)
    stated_loss: Loss | None = None

    @property
    def loss(self) -> Loss:
        """What classifiers are trained with, and by which logits become scores.

        By default that of FrameExit, section 3.1: cross-entropy for one label a video, binary
        cross-entropy for several.
        """
        return self.stated_loss or ("binary_cross_entropy" if self.multi_label else "cross_entropy")

    @property
    def num_classes(self) -> int:
        """Number of classes C."""
        return len(self.classes)


@dataclass(frozen=True)
class Stage:
    """One training stage with the schedule of its source; a profile scales it.

    Attributes:
        name: of the stage, as `Method.loss` gets it.
        params: names of the parameters on which its weights depend; those of the earlier stages
            are added by the harness.
        epochs: passes over the training videos.
        milestones: epochs after which the learning rate is divided by ten.
        finetunes: roles of the networks that it also trains where the profile fine-tunes.
    """

    name: str
    params: tuple[str, ...]
    epochs: int
    milestones: tuple[int, ...]
    finetunes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Prediction:
    """What a method says about a batch of videos.

    Attributes:
        scores: `[N, C]`, probabilities.
        exit_step: `[N]`, 1-based number of the decision step, for the exit statistics.
    """

    scores: Tensor
    exit_step: Tensor


class Method(nn.Module, ABC):
    """A network and its training; how it decides, a subclass says. See the module's docstring."""

    Params: ClassVar[type[Any]]

    def __init__(self, task: Task, params: Any) -> None:
        super().__init__()
        self.task = task
        self.params = params

    @property
    @abstractmethod
    def stages(self) -> Sequence[Stage]:
        """Training stages in order."""

    @abstractmethod
    def loss(self, stage: str, videos: Videos) -> Tensor:
        """Return the scalar training loss of a stage on a batch with targets.

        A batch may be cut over processes, whose losses are averaged by their videos. That is the
        loss of the batch if it is a mean over videos; else see `layers.sum_over_processes`.
        """

    def trainable(self, stage: str) -> Iterable[nn.Parameter]:
        """Return the parameters that a stage trains."""
        del stage
        return self.parameters()

    def candidates(self, videos: Videos) -> Tensor | None:
        """Return all positions that training and prediction may open: `[N, K]`; None: any.

        What is not among them cannot be opened once the networks are fine-tuned.
        """
        del videos
        return None


class SinglePass(Method):
    """A method that answers once for each video, whatever frames it chose to open."""

    @abstractmethod
    def predict(self, videos: Videos) -> Prediction:
        """Return scores for a batch of videos."""


class EarlyExit(Method):
    """A method that opens frames one at a time and may stop after each.

    The harness runs the loop: it hands over one frame's features at a time and drops the videos
    that stop, so no frame after the exit can influence a result. A state is any tree of tensors
    whose first dimension is the batch.
    """

    exit_threshold: float = 0.5

    @property
    @abstractmethod
    def num_steps(self) -> int:
        """T, the most frames that it may open."""

    @abstractmethod
    def visit(self, videos: Videos) -> Tensor:
        """Return the stored positions to open, in order: `[N, T]` int64."""

    @abstractmethod
    def step(self, step: int, features: Tensor, state: Any, videos: Videos) -> Any:
        """Take in one frame and return the new state.

        Args:
            step: 1-based.
            features: `[N, D]`, of this step's frame.
            state: what the last step returned, None at the first.
            videos: the view of these N videos, to name components.
        """

    @abstractmethod
    def classify(self, step: int, state: Any, videos: Videos) -> Tensor:
        """Return probabilities `[N, C]` from the state after `step`."""

    def exit_value(self, step: int, state: Any, videos: Videos) -> Tensor | None:
        """Return `[N]` in 0..1, above `exit_threshold` means stop; None: never stop here."""
        del step, state, videos
        return None


class ExitControl(ABC):
    """An exit rule that is applied to the stored steps of another method's run."""

    Params: ClassVar[type[Any]]

    budget_steps: float | None = None
    """Mean exit step of the run that `source.budget` of method.yaml names, on the same videos."""

    def __init__(self, params: Any) -> None:
        self.params = params

    @abstractmethod
    def exit_steps(
        self, test: StepRecords, train: StepRecords | None, targets: npt.NDArray[Any], seed: int
    ) -> npt.NDArray[np.int64]:
        """Return the 1-based exit step of each test video: `[N]`.

        Args:
            test: the source run's steps on the test videos.
            train: its steps on its training videos, where method.yaml asks for them.
            targets: of the test videos, for the oracle only; a rule that uses them must be
                declared `kind: control` and says so in its label.
            seed: for random rules.
        """

    @property
    def charged(self) -> tuple[str, ...]:
        """Components charged at every step although the source runs them on exit only."""
        return ()

    @property
    def uncharged(self) -> tuple[str, ...]:
        """Components of the source that this rule does not run (its gates)."""
        return ("gate",)
