"""MoCo v2 on skeletons, the baseline of all methods here."""

from typing import Dict, Optional, Tuple

from mmaction.registry import MODELS
from torch import Tensor

from ..similarity import Similarity
from .momentum import MomentumContrast


@MODELS.register_module()
class SkeletonMoCo(MomentumContrast):
    """Contrasts two views of a sample, each stream for itself.

    MoCo v2 (Chen et al., 2020) over any set of streams; with one stream, an
    ST-GCN and AimCLR's normal views it is SkeletonCLR.

    Args:
        contrast: Config of the contrastive loss.
        **kwargs: As for :class:`MomentumContrast`.

    Example:
        >>> import torch
        >>> backbone = dict(type='BiGRU', hidden_channels=4, num_layers=1)
        >>> model = SkeletonMoCo(backbone=backbone, bank=dict(type='MemoryBank', size=8))
        >>> query_view, key_view = torch.rand(2, 4, 2, 16, 25, 3)
        >>> sorted(model.loss((query_view, key_view)))[:3]
        ['acc_nce_bone', 'acc_nce_joint', 'acc_nce_motion']
    """

    def __init__(self, contrast: dict = dict(type='InfoNCELoss'), **kwargs) -> None:  # noqa: B006
        super().__init__(**kwargs)
        self.contrast = MODELS.build(contrast)

    def embed_streams(self, query_view: Tensor, key_view: Tensor) -> Dict[str, Tuple[Tensor, Tensor]]:
        """Embeds two views (B, M, T, V, C); the keys are stashed for the bank.

        Returns:
            Stream -> (z of the query, z of the key), each (B, D).
        """
        embedded = {}
        for name, stream in self.streams.items():
            query, key = stream(query_view).embedding, stream.embed_key(key_view).embedding
            self.stash_keys(name, key=key)
            embedded[name] = query, key
        return embedded

    def similarities(self, embedded: Dict[str, Tuple[Tensor, Tensor]]) -> Dict[str, Similarity]:
        """How similar what each stream embedded is to its keys and to its part of the bank."""
        return {name: Similarity(*pair, self.bank.view(name).key) for name, pair in embedded.items()}

    def contrast_losses(self, similarities: Dict[str, Similarity], term: str = 'nce') -> Dict[str, Tensor]:
        """InfoNCE and the contrast accuracy (percent) of each stream."""
        losses = {}
        for name, similarity in similarities.items():
            losses[f'loss_{term}_{name}'] = self.contrast(similarity.pos_sim, similarity.query_sim)
            losses[f'acc_{term}_{name}'] = similarity.accuracy
        return losses

    def loss(self, inputs: Tuple[Tensor, Tensor], data_samples: Optional[list] = None) -> Dict[str, Tensor]:
        """InfoNCE of each stream, from a query and a key view."""
        return self.contrast_losses(self.similarities(self.embed_streams(*inputs)))
