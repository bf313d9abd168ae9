"""Dropout from few random numbers."""

import torch
from torch import Tensor, nn


class ByteDropout(nn.Dropout):
    """Dropout that decides on eight elements by one random number of 64 bits.

    On a CPU the numbers for torch's dropout take a third of an ST-GCN's step.
    The odds are rounded to 256ths, and what is kept is rescaled by them; 0.5 is
    exact. Compiled, it is torch's own, which is fused with its neighbours.

    Args:
        p: Odds of an element to be dropped.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Drops elements of any shape while training."""
        if not self.training or not self.p or torch.compiler.is_compiling():
            return super().forward(x)
        numbers = torch.empty((x.numel() + 7) // 8, dtype=torch.int64, device=x.device)
        fate = numbers.random_(-(2**63), None).view(torch.uint8)[: x.numel()].view(x.shape)
        dropped = round(256 * self.p)
        return torch.where(fate >= dropped, x * (256 / (256 - dropped)), 0.0)
