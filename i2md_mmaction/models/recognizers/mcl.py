"""Mutual contrastive learning between streams, a rival of distillation."""

from typing import Dict, Optional, Sequence, Tuple

from mmaction.registry import MODELS
from torch import Tensor

from ..settings import check_weights
from ..similarity import Similarity
from .cmd import Edge, directed_edges
from .moco import SkeletonMoCo


@MODELS.register_module()
class MCL(SkeletonMoCo):
    """MoCo streams that also contrast their queries with one another's keys.

    Along each edge the student's query is contrasted with the teacher's key of
    the same sample against the teacher's bank, as in the interactive part of
    mutual contrastive learning (Yang et al., AAAI 2022). In the ablations of CMD
    and I2MD it takes the place of distillation.

    Args:
        mutual: Config of the contrastive loss across streams.
        edges: (teacher, student) pairs of streams; all ordered pairs by default.
        mcl_weight: Weight of these terms; nothing is computed at 0.
        **kwargs: As for :class:`SkeletonMoCo`.

    Raises:
        ValueError: If an edge does not name two of the streams.

    Example:
        >>> import torch
        >>> model = MCL(
        ...     backbone=dict(type='BiGRU', hidden_channels=4, num_layers=1), streams=('joint', 'bone'),
        ...     bank=dict(type='MemoryBank', size=8))
        >>> [name for name in model.loss(torch.rand(2, 4, 2, 16, 25, 3)) if 'mcl' in name]
        ['loss_mcl_joint_to_bone', 'loss_mcl_bone_to_joint']
    """

    def __init__(
        self,
        mutual: dict = dict(type='InfoNCELoss'),  # noqa: B006
        edges: Optional[Sequence[Edge]] = None,
        mcl_weight: float = 1.0,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self.mutual = MODELS.build(mutual)
        self.edges = directed_edges(self.streams, edges)
        check_weights(mcl_weight=mcl_weight)
        self.mcl_weight = mcl_weight

    def loss(self, inputs: Tuple[Tensor, Tensor], data_samples: Optional[list] = None) -> Dict[str, Tensor]:
        """InfoNCE of each stream and across each edge."""
        embedded = self.embed_streams(*inputs)
        losses = self.contrast_losses(self.similarities(embedded))
        for teacher, student in self.edges if self.mcl_weight else ():
            query, key = embedded[student][0], embedded[teacher][1]
            crossed = Similarity(query, key, self.bank.view(teacher).key)
            loss = self.mutual(crossed.pos_sim, crossed.query_sim)
            losses[f'loss_mcl_{teacher}_to_{student}'] = self.mcl_weight * loss
        return losses
