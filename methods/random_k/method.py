"""Random-K (FrameExit, Table 2): K frames at random, the average of their predictions."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from benchmark.videos import Videos
from methods.uniform_k.method import Method as UniformK


class Method(UniformK):
    """Uniform-K with other frames: without replacement, while a video has enough of them."""

    def positions(self, videos: Videos, count: int) -> Tensor:
        """Return random stored positions, in the order drawn: `[N, count]`."""
        ends = videos.num_inputs()[:, None]
        draws = videos.random("frames", int(ends.max()))
        draws[np.arange(draws.shape[1]) >= ends] += 1.0  # beyond the end: last
        order = np.argsort(draws, axis=1, kind="stable")
        # A short video gives its frames again, in the same order.
        again = np.arange(count)[None] % ends
        return videos.starts(torch.from_numpy(np.take_along_axis(order, again, axis=1)))
