"""Cross-view consistency between streams."""

from itertools import permutations
from typing import Dict, Optional, Tuple

import torch
from mmaction.registry import MODELS
from torch import Tensor

from ..similarity import Similarity
from .moco import SkeletonMoCo


@MODELS.register_module()
class CrosSCLR(SkeletonMoCo):
    """MoCo streams that mine positives for one another.

    First stage: InfoNCE of each stream. Second stage (``mining``, switched by
    :class:`~i2md_mmaction.engine.PretrainStageHook`): for each ordered pair of
    streams (u, v) the positives of u are its key and, by index, the bank row
    nearest to v's query. Source: CrosSCLR (Li et al., CVPR 2021), section 3;
    with the BiGRU it is the CrosSCLR-B of CMD's tables.

    Two slips of the released code are not copied: its motion and bone
    projectors wrap the joint projector, and its second stage moves the motion
    key encoder only. Here every stream has a projector of its own, and every
    key encoder moves.

    Args:
        neighbor: Config of the loss with mined positives.
        context: Whether the logits of u are extended by the products of u's and
            v's similarities, in which the mined row is positive too.
        mining: Whether the second stage is on from the start.
        **kwargs: As for :class:`SkeletonMoCo`.

    Raises:
        ValueError: If there are fewer than two streams.

    Example:
        >>> model = CrosSCLR(
        ...     backbone=dict(type='BiGRU', hidden_channels=4, num_layers=1), streams=('joint', 'bone'),
        ...     bank=dict(type='MemoryBank', size=8), mining=True)
        >>> [name for name in model.loss(torch.rand(2, 4, 2, 16, 25, 3)) if 'cross' in name]
        ['loss_cross_bone_to_joint', 'loss_cross_joint_to_bone']
    """

    def __init__(
        self,
        neighbor: dict = dict(type='NeighborMiningLoss'),  # noqa: B006
        context: bool = True,
        mining: bool = False,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if len(self.streams) < 2:
            raise ValueError(f'CrosSCLR mines across streams and needs two or more, got {list(self.streams)}')
        self.neighbor = MODELS.build(neighbor)
        self.context = context
        self.mining = mining

    def cross_losses(self, similarities: Dict[str, Similarity]) -> Dict[str, Tensor]:
        """Loss of each stream u with another's mined positives, for every (u, v)."""
        losses = {}
        mined = {
            name: self.bank.nearest_mask(similarity.query_sim, 1) for name, similarity in similarities.items()
        }
        for u, v in permutations(similarities, 2):
            similarity, positive = similarities[u].query_sim, mined[v]
            if self.context:
                similarity = torch.cat((similarity, similarity * similarities[v].query_sim), dim=1)
                positive = torch.cat((positive, positive), dim=1)
            loss = self.neighbor(similarities[u].pos_sim, similarity, positive)
            # The mean over the other streams.
            losses[f'loss_cross_{v}_to_{u}'] = loss / (len(similarities) - 1)
        return losses

    def loss(self, inputs: Tuple[Tensor, Tensor], data_samples: Optional[list] = None) -> Dict[str, Tensor]:
        """InfoNCE of each stream, or mining across streams, by stage."""
        similarities = self.similarities(self.embed_streams(*inputs))
        if not self.mining:
            return self.contrast_losses(similarities)
        accuracies = {f'acc_nce_{name}': similarity.accuracy for name, similarity in similarities.items()}
        return {**self.cross_losses(similarities), **accuracies}
