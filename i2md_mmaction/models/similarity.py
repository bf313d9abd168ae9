"""Similarities of a batch to the memory, each product taken once."""

from typing import Optional

import torch
from torch import Tensor


class Comparison:
    """How a batch of one stream compares with its entry of the bank, in float32.

    Autocast is off here: the softmaxes that follow divide by temperatures far
    below 1 and would magnify its rounding.

    Args:
        query: (B, D), unit embeddings of the queries.
        key: (B, D), unit embeddings of the keys.
        entry: (N, D), entry of the bank.

    Attributes:
        positive: (B,), similarity of each query to its own key.
        query: (B, N), of the queries to the bank; carries the gradient.
    """

    def __init__(self, query: Tensor, key: Tensor, entry: Tensor) -> None:
        with torch.autocast(query.device.type, enabled=False):
            query, self._key, self._entry = query.float(), key.float(), entry.float()
            self.positive = (query * self._key).sum(dim=1)
            self.query = query @ self._entry.T
        self._key_similarity: Optional[Tensor] = None

    @property
    def key(self) -> Tensor:
        """(B, N), of the keys to the bank; no gradient. Taken when first asked for: few methods teach."""
        if self._key_similarity is None:
            with torch.autocast(self._key.device.type, enabled=False):
                self._key_similarity = self._key @ self._entry.T
        return self._key_similarity

    @property
    def accuracy(self) -> Tensor:
        """Share of the queries nearer to their key than to any row of the bank, in percent."""
        return (self.positive > self.query.amax(dim=1)).float().mean().detach() * 100
