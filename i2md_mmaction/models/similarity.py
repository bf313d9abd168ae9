"""Similarities of a batch to the memory, each product taken once."""

from typing import Optional

import torch
from torch import Tensor


def at_least_float32(value: Tensor) -> Tensor:
    """The same values, in float32 where they had fewer digits; float64 stays.

    Example:
        >>> [at_least_float32(torch.ones(1, dtype=kind)).dtype for kind in (torch.bfloat16, torch.float64)]
        [torch.float32, torch.float64]
    """
    return value.to(torch.promote_types(value.dtype, torch.float32))


class Similarity:
    """How similar a batch of one stream is to its keys and to a bank, in float32 or more.

    Autocast is off here: the softmaxes that follow divide by temperatures far
    below 1 and would magnify its rounding.

    Args:
        query: (B, D), embeddings of the queries, of unit length.
        key: (B, D), embeddings of the keys, of unit length.
        bank: (N, D), keys of the bank.

    Attributes:
        pos_sim: (B,), similarity of each query to its own key.
        query_sim: (B, N), of the queries to the bank; carries the gradient.
    """

    def __init__(self, query: Tensor, key: Tensor, bank: Tensor) -> None:
        with torch.autocast(query.device.type, enabled=False):
            query, self._key, self._bank = map(at_least_float32, (query, key, bank))
            self.pos_sim = (query * self._key).sum(dim=1)
            self.query_sim = query @ self._bank.T
        self._key_sim: Optional[Tensor] = None

    @property
    def key_sim(self) -> Tensor:
        """(B, N), of the keys to the bank; no gradient. Taken when first asked for: few methods teach."""
        if self._key_sim is None:
            with torch.autocast(self._key.device.type, enabled=False):
                self._key_sim = self._key @ self._bank.T
        return self._key_sim

    @property
    def accuracy(self) -> Tensor:
        """Share of the queries nearer to their key than to any row of the bank, in percent."""
        return (self.pos_sim > self.query_sim.amax(dim=1)).float().mean().detach() * 100
