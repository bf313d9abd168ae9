"""InfoNCE."""

import torch
from mmaction.registry import MODELS
from torch import Tensor, nn

from ..settings import check_positive


# The second name is that of version 0.1 for its use across streams; it goes with 0.3.
@MODELS.register_module(name=['InfoNCELoss', 'MutualContrastiveLoss'])
class InfoNCELoss(nn.Module):
    """Contrasts a positive against the negatives of the bank.

    Source: MoCo; I2MD, equation 1.

    Args:
        temperature: tau_c, 0.07 in CMD, I2MD and AimCLR.

    Example:
        >>> InfoNCELoss()(torch.ones(8), torch.zeros(8, 100)) < 1e-4
        tensor(True)
    """

    def __init__(self, temperature: float = 0.07) -> None:
        super().__init__()
        check_positive(temperature=temperature)
        self.temperature = temperature

    def forward(self, pos_sim: Tensor, neg_sim: Tensor) -> Tensor:
        """Mean loss of a batch.

        Args:
            pos_sim: (B,), similarity of each query to its key.
            neg_sim: (B, N), to the bank.

        Returns:
            Scalar.
        """
        positive = pos_sim / self.temperature
        negatives = torch.logsumexp(neg_sim / self.temperature, dim=1)
        return (torch.logaddexp(positive, negatives) - positive).mean()
