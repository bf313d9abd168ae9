"""Divergence between views of different strength."""

import torch
from mmaction.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from ..settings import check_positive


@MODELS.register_module()
class DistributionalDivergenceLoss(nn.Module):
    """Draws an extreme view's similarities towards those of a normal view (D3M).

    Cross-entropy of the extreme query's distribution over key and bank against
    the normal query's, which is a target without gradient. One direction; a
    method takes the mean over its extreme queries. Source: AimCLR, equations 6
    to 8.

    Args:
        temperature: tau, 0.07.

    Example:
        >>> normal = torch.ones(8), torch.zeros(8, 100)  # nearest to its key
        >>> extreme = torch.zeros(8), torch.ones(8, 100)  # nearer to the bank
        >>> loss = DistributionalDivergenceLoss()
        >>> bool(loss(normal, extreme) > loss(normal, normal))
        True
    """

    def __init__(self, temperature: float = 0.07) -> None:
        super().__init__()
        check_positive(temperature=temperature)
        self.temperature = temperature

    def forward(self, normal: tuple, extreme: tuple) -> Tensor:
        """Mean cross-entropy of a batch.

        Args:
            normal: (pos_sim (B,), neg_sim (B, N)) of the normal query.
            extreme: The same of an extreme query.

        Returns:
            Scalar.
        """
        target = F.softmax(self._logits(*normal).detach(), dim=1)
        return F.cross_entropy(self._logits(*extreme), target)

    def _logits(self, pos_sim: Tensor, neg_sim: Tensor) -> Tensor:
        return torch.cat((pos_sim[:, None], neg_sim), dim=1) / self.temperature
