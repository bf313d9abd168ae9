"""Dropout that is quick on a CPU too."""

import torch
from torch import Tensor, nn


class UniformDropout(nn.Dropout):
    """Dropout whose random numbers are uniform ones on a CPU.

    torch draws there one Bernoulli number after another, a third of an ST-GCN's
    step; uniform ones, drawn many at a time, take a fifth of it. On other
    devices, and where it is compiled, this is torch's own, a single kernel.

    Args:
        p: Probability of an element to be dropped.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Drops elements of any shape while training."""
        if not (self.training and 0 < self.p < 1 and x.is_cpu) or torch.compiler.is_compiling():
            return super().forward(x)
        kept = torch.rand_like(x, dtype=torch.float32) >= self.p
        return x * (kept * (1 / (1 - self.p))).to(x.dtype)
