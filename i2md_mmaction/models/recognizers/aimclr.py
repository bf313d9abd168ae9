"""Contrast under extreme augmentations."""

from typing import Dict, List, Optional, Tuple

from mmaction.registry import MODELS
from torch import Tensor

from ..encoder import Stream
from ..settings import check_topk
from ..similarity import Similarity
from .moco import SkeletonMoCo


@MODELS.register_module()
class AimCLR(SkeletonMoCo):
    """Abundant information mining: extreme views, energy drop, mined neighbours.

    Three queries meet one key: of a normal view, of an extreme view, and of the
    extreme view with an energy drop on its feature map. The normal one is
    contrasted; its similarities are the target of the extreme ones (D3M). In
    the second stage (``mining``, switched by
    :class:`~i2md_mmaction.engine.PretrainStageHook`) the bank rows nearest to
    the three queries are positives too (NNM). Source: AimCLR (Guo et al., AAAI
    2022), section 3. By a slip, the keys of the released code start from weights
    other than the queries'; here they start as a copy.

    Args:
        divergence: Config of the loss on extreme views.
        neighbor: Config of the loss with mined positives.
        drop: Config of the drop on feature maps.
        topk: k, rows mined for each query; 1.
        mining: Whether the second stage is on from the start.
        **kwargs: As for :class:`SkeletonMoCo`. The backbone must give a feature
            map (B, M, C, T, V). Views: query, key, extreme.

    Raises:
        ValueError: If k exceeds the bank.
        TypeError: At the first step, if the backbone gives no feature map.

    Example:
        >>> import torch
        >>> model = AimCLR(
        ...     backbone=dict(type='SlimSTGCN', base_channels=4, embed_dims=8), streams=('joint',),
        ...     bank=dict(type='MemoryBank', size=8), mining=True)
        >>> list(model.loss(torch.rand(3, 4, 2, 16, 25, 3)))  # three views of four samples
        ['loss_nnm_joint', 'acc_nce_joint', 'loss_d3m_joint']
    """

    num_views = 3

    def __init__(
        self,
        divergence: dict = dict(type='DistributionalDivergenceLoss'),  # noqa: B006
        neighbor: dict = dict(type='NeighborMiningLoss'),  # noqa: B006
        drop: dict = dict(type='EnergyDrop'),  # noqa: B006
        topk: int = 1,
        mining: bool = False,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self.divergence = MODELS.build(divergence)
        self.neighbor = MODELS.build(neighbor)
        self.drop = MODELS.build(drop)
        check_topk('topk', topk, self.bank.size)
        self.topk = topk
        self.mining = mining

    def embed_extreme(self, stream: Stream, view: Tensor) -> Tuple[Tensor, Tensor]:
        """z (B, D) of an extreme view, without and with the drop."""
        encoder = stream.query
        feature = encoder.tokens(view)  # (B, M, C, T, V)
        if feature.dim() != 5:
            raise TypeError(
                f'{type(encoder.backbone).__name__} gives {tuple(feature.shape)}; the energy drop '
                'needs a feature map (B, M, C, T, V), such as that of SlimSTGCN'
            )
        return tuple(encoder.project(encoder.pool(x)).embedding for x in (feature, self.drop(feature)))

    def extreme_similarities(
        self, embedded: Dict[str, Tuple[Tensor, Tensor]], extreme_view: Tensor
    ) -> Dict[str, List[Similarity]]:
        """How similar both extreme queries of each stream are to its keys and its part of the bank."""
        return {
            name: [
                Similarity(query, embedded[name][1], self.bank.view(name).key)
                for query in self.embed_extreme(stream, extreme_view)
            ]
            for name, stream in self.streams.items()
        }

    def aim_losses(
        self, normal: Dict[str, Similarity], extreme: Dict[str, List[Similarity]]
    ) -> Dict[str, Tensor]:
        """Contrast or mining, by stage, and D3M of each stream."""
        losses = {} if self.mining else self.contrast_losses(normal)
        for name, similarity in normal.items():
            if self.mining:
                mined = [
                    self.bank.nearest_mask(query.query_sim, self.topk)
                    for query in (similarity, *extreme[name])
                ]
                mined = mined[0] | mined[1] | mined[2]
                losses[f'loss_nnm_{name}'] = self.neighbor(similarity.pos_sim, similarity.query_sim, mined)
                losses[f'acc_nce_{name}'] = similarity.accuracy
            target = (similarity.pos_sim, similarity.query_sim)
            divergences = [
                self.divergence(target, (query.pos_sim, query.query_sim)) for query in extreme[name]
            ]
            losses[f'loss_d3m_{name}'] = sum(divergences) / len(divergences)
        return losses

    def loss(self, inputs: Tuple[Tensor, ...], data_samples: Optional[list] = None) -> Dict[str, Tensor]:
        """The losses of a step from its query, key and extreme view."""
        query_view, key_view, extreme_view = inputs
        embedded = self.embed_streams(query_view, key_view)
        return self.aim_losses(self.similarities(embedded), self.extreme_similarities(embedded, extreme_view))
