"""AimCLR's views and drop with CMD's distillation: two methods of the package in one."""

from typing import Dict, Optional, Tuple

from mmaction.registry import MODELS
from torch import Tensor

from i2md_mmaction.models import CMD, AimCLR


@MODELS.register_module()
class AimCMD(CMD, AimCLR):
    """Three-stream AimCLR whose streams distil into one another.

    Args:
        **kwargs: Those of :class:`CMD` and of :class:`AimCLR`.
    """

    def loss(self, inputs: Tuple[Tensor, ...], data_samples: Optional[list] = None) -> Dict[str, Tensor]:
        """AimCLR's terms of each stream, and CMD's along each edge between the normal queries."""
        query_view, key_view, extreme_view = inputs
        embedded = self.embed_streams(query_view, key_view)
        normal = self.similarities(embedded)
        extreme = self.extreme_similarities(embedded, extreme_view)
        teachers = self.teacher_distributions(normal)
        return {**self.aim_losses(normal, extreme), **self.cmd_losses(teachers, normal)}
