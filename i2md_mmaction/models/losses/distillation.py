"""Distillation of similarity distributions."""

from typing import NamedTuple, Optional

import torch
from mmaction.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from ..settings import check_positive, check_topk


class Anchors(NamedTuple):
    """A teacher's distribution over the bank rows most similar to it."""

    index: Optional[Tensor]
    """Row numbers (B, K); None stands for all rows in order."""
    log_prob: Tensor
    """Log-probabilities (B, K)."""


@MODELS.register_module()
class MutualDistillationLoss(nn.Module):
    """KL divergence from a teacher's to a student's similarity distribution.

    Both are softmaxes over the teacher's top-K rows of the bank, the teacher's
    sharper. This is one direction; a method calls it once for every directed
    edge. Source: CMD, equations 2 to 4; I2MD, equations 2 to 5 and 8. As the
    teacher's temperature goes to 0 with K = N it becomes mutual positive mining
    (I2MD, equation 6).

    Args:
        teacher_temperature: tau_t.
        student_temperature: tau_s.
        topk: K, anchors taken from the bank.

    Raises:
        ValueError: On use, if K exceeds the bank.

    Example:
        >>> loss = MutualDistillationLoss(teacher_temperature=0.1, student_temperature=0.1, topk=2)
        >>> teacher = torch.tensor([[0.9, 0.8, 0.1, 0.0]])
        >>> loss(teacher, teacher).item()
        0.0
        >>> loss(teacher, torch.tensor([[0.9, 0.8, 0.0, 0.5]])).item()  # differs outside the top 2 only
        0.0
    """

    def __init__(
        self, teacher_temperature: float = 0.05, student_temperature: float = 0.1, topk: int = 8192
    ) -> None:
        super().__init__()
        check_positive(teacher_temperature=teacher_temperature, student_temperature=student_temperature)
        self.teacher_temperature = teacher_temperature
        self.student_temperature = student_temperature
        self.topk = topk

    @torch.no_grad()
    def anchors(self, teacher_sim: Tensor) -> Anchors:
        """The teacher's distribution (equation 2), without gradient.

        Args:
            teacher_sim: (B, N), similarities of the teacher's keys to its bank.
        """
        check_topk('topk', self.topk, teacher_sim.size(1))
        index = None
        if self.topk < teacher_sim.size(1):
            teacher_sim, index = teacher_sim.topk(self.topk, dim=1, sorted=False)
        return Anchors(index, F.log_softmax(teacher_sim / self.teacher_temperature, dim=1))

    def distill(self, anchors: Anchors, student_sim: Tensor) -> Tensor:
        """KL divergence of a student to a teacher's anchors (equation 3).

        Args:
            anchors: From :meth:`anchors`.
            student_sim: (B, N), similarities of the student's queries to the
                student's own bank.

        Returns:
            Scalar, batch mean.
        """
        if anchors.index is not None:
            student_sim = student_sim.gather(1, anchors.index)
        log_prob = F.log_softmax(student_sim / self.student_temperature, dim=1)
        return F.kl_div(log_prob, anchors.log_prob, reduction='batchmean', log_target=True)

    def forward(self, teacher_sim: Tensor, student_sim: Tensor) -> Tensor:
        """One direction from similarities (B, N) to a scalar."""
        return self.distill(self.anchors(teacher_sim), student_sim)
