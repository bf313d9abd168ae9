"""Contrast with mined positives."""

import torch
from mmaction.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from ..settings import check_positive

FORMS = ('mean_log', 'log_sum')


@MODELS.register_module()
class NeighborMiningLoss(nn.Module):
    """Contrasts a query with its key and with bank rows that count as positives.

    Serves AimCLR's nearest neighbours mining and CrosSCLR's cross-view mining.

    Args:
        temperature: tau, 0.07 in both.
        form: ``'mean_log'``, the mean over the positives of -log softmax, as the
            authors of both have released it; or ``'log_sum'``, -log of the
            positives' summed probability, as AimCLR's equation 9 has it. They
            are equal where the key is the only positive.

    Raises:
        ValueError: If the form is unknown.

    Example:
        >>> mined = torch.zeros(8, 100, dtype=torch.bool)  # nothing mined: InfoNCE
        >>> NeighborMiningLoss()(torch.ones(8), torch.zeros(8, 100), mined) < 1e-4
        tensor(True)
    """

    def __init__(self, temperature: float = 0.07, form: str = 'mean_log') -> None:
        super().__init__()
        check_positive(temperature=temperature)
        if form not in FORMS:
            raise ValueError(f'form must be one of {FORMS}, got {form!r}')
        self.temperature = temperature
        self.form = form

    def forward(self, pos_sim: Tensor, bank_sim: Tensor, mined: Tensor) -> Tensor:
        """Mean loss of a batch.

        Args:
            pos_sim: (B,), similarity of each query to its own key.
            bank_sim: (B, N), to the bank.
            mined: (B, N), True where a bank row counts as positive.

        Returns:
            Scalar.
        """
        logits = torch.cat((pos_sim[:, None], bank_sim), dim=1) / self.temperature
        positive = F.pad(mined, (1, 0), value=True)
        log_prob = F.log_softmax(logits, dim=1)
        if self.form == 'log_sum':
            return -log_prob.masked_fill(~positive, -torch.inf).logsumexp(dim=1).mean()
        return -((log_prob * positive).sum(dim=1) / positive.sum(dim=1)).mean()
