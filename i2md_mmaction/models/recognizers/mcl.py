"""Mutual contrastive learning between streams, a rival of distillation."""

from typing import Dict, Optional, Tuple

from mmaction.registry import MODELS
from torch import Tensor

from ..similarity import Comparison
from .cmd import StreamEdges
from .moco import SkeletonMoCo


@MODELS.register_module()
class MCL(StreamEdges, SkeletonMoCo):
    """MoCo streams that also contrast their queries with one another's keys.

    Along each edge the student's query is contrasted with the teacher's key
    against the teacher's bank. CMD's ablation in place of distillation.

    Args:
        mutual: Config of the contrastive loss across streams.
        edges: (teacher, student) pairs; all ordered pairs by default.
        mcl_weight: Weight of these terms.
        **kwargs: As for :class:`SkeletonMoCo`.
    """

    def __init__(
        self,
        mutual: dict = dict(type='MutualContrastiveLoss'),  # noqa: B006
        edges: Optional[list] = None,
        mcl_weight: float = 1.0,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self.mutual = MODELS.build(mutual)
        self.set_edges(edges)
        self.mcl_weight = mcl_weight

    def loss(self, inputs: Tuple[Tensor, Tensor], data_samples: Optional[list] = None) -> Dict[str, Tensor]:
        """InfoNCE of each stream and across each edge."""
        embedded = self.embed_streams(*inputs)
        losses = self.contrast_losses(self.compare_streams(embedded))
        for teacher, student in self.edges if self.mcl_weight else ():
            crossed = Comparison(embedded[student][0], embedded[teacher][1], self.bank[f'{teacher}_key'])
            loss = self.mutual(crossed.positive, crossed.query)
            losses[f'loss_mcl_{teacher}_to_{student}'] = self.mcl_weight * loss
        return losses
