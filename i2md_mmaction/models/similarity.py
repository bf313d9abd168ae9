"""Similarities of a batch to the memory, each product taken once."""

from typing import NamedTuple

import torch
from torch import Tensor


class Comparison(NamedTuple):
    """How a batch of one stream compares with its entry of the bank."""

    positive: Tensor
    """(B,), similarity of each query to its own key."""
    query: Tensor
    """(B, N), of the queries to the bank; carries the gradient."""
    key: Tensor
    """(B, N), of the keys to the bank; no gradient."""

    @property
    def accuracy(self) -> Tensor:
        """Share of the queries nearer to their key than to any row of the bank, in percent."""
        return (self.positive > self.query.amax(dim=1)).float().mean().detach() * 100


def compare(query: Tensor, key: Tensor, entry: Tensor) -> Comparison:
    """Compares unit embeddings (B, D) with a bank entry (N, D), in float32.

    Autocast is off here: the softmaxes that follow divide by temperatures far
    below 1 and would magnify its rounding.
    """
    with torch.autocast(query.device.type, enabled=False):
        query, key, entry = query.float(), key.float(), entry.float()
        return Comparison((query * key).sum(dim=1), query @ entry.T, key @ entry.T)
