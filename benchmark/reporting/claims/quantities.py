"""A number under test with its uncertainty over videos and seeds.

The intervals of the tables resample the seeds. Of five seeds this gives too narrow an interval
where seeds differ much, and too wide a one where they differ by chance alone (in simulations, 90
and 98 % of the intervals hold the truth). A verdict promises an error rate, so here the variance
over seeds is estimated from the seeds' own values, and the t distribution takes the normal's place.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.stats import t as t_distribution

__all__ = ["Parts", "Quantity"]

_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Parts:
    """The variance of a mean over seeds and videos, and what would become of it elsewhere.

    Attributes:
        videos: shrinks with more videos.
        seeds: shrinks with more seeds.
        both: of each seed on its own videos, shrinks with either.
        both_seen: the part of it that the spread over seeds shows; less than all by chance.
        num_videos: N, here.
        num_seeds: S, here.
        num_resamples: that the variance over videos is estimated from.
    """

    videos: float
    seeds: float
    both: float
    both_seen: float
    num_videos: int
    num_seeds: int
    num_resamples: int

    def at(self, num_videos: float, num_seeds: float) -> tuple[float, float]:
        """Return variance and degrees of freedom with other numbers of videos and seeds.

        Degrees of freedom by Satterthwaite, of a sum of one estimate over videos and one over
        seeds. A single seed says nothing of others: then the videos alone count.
        """
        fewer = self.num_videos * self.num_seeds / (num_videos * num_seeds)
        over_videos = self.videos * self.num_videos / num_videos + self.both * fewer
        pure_seeds = self.seeds * self.num_seeds / num_seeds
        uncertain = over_videos**2 * (
            1 / max(num_videos - 1, 1) + 1 / max(self.num_resamples - 1, 1)
        )
        if num_seeds > 1:
            uncertain += (pure_seeds + self.both_seen * fewer) ** 2 / (num_seeds - 1)
        variance = over_videos + pure_seeds
        return variance, variance**2 / uncertain


@dataclass(frozen=True, eq=False)
class Quantity:
    """A statistic of each seed, and the same in each resample of the videos.

    Attributes:
        values: `[S]`.
        replicates: `[S, B]`, the same resamples for every quantity of a dataset.
        num_videos: N.
        one_video: by how much one video that is answered otherwise can change the statistic; no
            uncertainty over videos is taken to be smaller. Where no video of a few differs, the
            bootstrap would say that none ever does.
    """

    values: npt.NDArray[np.float64]
    replicates: npt.NDArray[np.float64]
    num_videos: int
    one_video: float

    def __sub__(self, other: Quantity) -> Quantity:
        """Return the difference, paired seed by seed and resample by resample."""
        assert self.num_videos == other.num_videos, "rows on different videos are not compared"
        return Quantity(
            self.values - other.values,
            self.replicates - other.replicates,
            self.num_videos,
            max(self.one_video, other.one_video),
        )

    @property
    def num_seeds(self) -> int:
        """Number of seeds S."""
        return len(self.values)

    @property
    def mean(self) -> float:
        """The statistic, mean over seeds."""
        return float(self.values.mean())

    @cached_property
    def parts(self) -> Parts:
        """The variance of the mean.

        What each seed does on its own videos shows in the spread over seeds and in that over
        videos. It is estimated from the resamples (their spread about the mean of the seeds) and
        counted once.
        """
        sizes = self.num_videos, self.num_seeds, self.replicates.shape[1]
        scale = self.num_videos / max(self.num_videos - 1, 1)  # a resample knows only N videos
        over_videos = scale * float(self.replicates.mean(axis=0).var())
        over_videos = max(over_videos, self.one_video**2)
        if self.num_seeds == 1:
            return Parts(over_videos, 0.0, 0.0, 0.0, *sizes)
        apart = self.replicates - self.replicates.mean(axis=0)
        both = min(scale * float(apart.var(axis=1).mean()) / (self.num_seeds - 1), over_videos)
        over_seeds = float(self.values.var(ddof=1)) / self.num_seeds
        seeds = max(over_seeds - both, 0.0)
        return Parts(over_videos - both, seeds, both, min(over_seeds, both), *sizes)

    @property
    def standard_error(self) -> float:
        """Of the mean, over videos and seeds."""
        return float(np.sqrt(self.parts.at(self.num_videos, self.num_seeds)[0]))

    @property
    def degrees_of_freedom(self) -> float:
        """Of the standard error."""
        return self.parts.at(self.num_videos, self.num_seeds)[1]

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the mean."""
        reach = t_distribution.ppf((1 + _CONFIDENCE) / 2, self.degrees_of_freedom)
        half = float(reach) * self.standard_error
        return self.mean - half, self.mean + half

    def p_above(self, bound: float) -> float:
        """Return the one-sided p-value of 'the mean is above the bound'."""
        statistic = (self.mean - bound) / self.standard_error
        return float(t_distribution.sf(statistic, self.degrees_of_freedom))

    def p_below(self, bound: float) -> float:
        """Return the one-sided p-value of 'the mean is below the bound'."""
        statistic = (self.mean - bound) / self.standard_error
        return float(t_distribution.cdf(statistic, self.degrees_of_freedom))
