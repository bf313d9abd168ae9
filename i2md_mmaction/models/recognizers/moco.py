"""MoCo v2 on skeletons, the baseline of all methods here."""

from typing import Dict, Optional, Tuple

from mmaction.registry import MODELS
from torch import Tensor

from ..similarity import Comparison
from .base import SkeletonPretrainer


@MODELS.register_module()
class SkeletonMoCo(SkeletonPretrainer):
    """Contrasts two views of a sample, each stream for itself.

    MoCo v2 over any set of streams; with one stream, an ST-GCN and AimCLR's
    normal views it is SkeletonCLR.

    Args:
        contrast: Config of the contrastive loss.
        **kwargs: As for :class:`SkeletonPretrainer`.
    """

    def __init__(self, contrast: dict = dict(type='InfoNCELoss'), **kwargs) -> None:  # noqa: B006
        super().__init__(**kwargs)
        self.contrast = MODELS.build(contrast)

    def embed_streams(self, query_view: Tensor, key_view: Tensor) -> Dict[str, Tuple[Tensor, Tensor]]:
        """Embeds two views (B, M, T, V, C); the keys are remembered for the bank.

        Returns:
            Stream -> (z of the query, z of the key), each (B, D).
        """
        embedded = {
            name: (stream(query_view).unit, stream.embed_key(key_view).unit)
            for name, stream in self.streams.items()
        }
        self.remember(**{f'{name}_key': key for name, (_, key) in embedded.items()})
        return embedded

    def compare_streams(self, embedded: Dict[str, Tuple[Tensor, Tensor]]) -> Dict[str, Comparison]:
        """Compares what each stream embedded with its bank entry."""
        return {name: Comparison(*pair, self.bank[f'{name}_key']) for name, pair in embedded.items()}

    def contrast_losses(self, compared: Dict[str, Comparison], term: str = 'nce') -> Dict[str, Tensor]:
        """InfoNCE and the contrast accuracy (percent) of each stream."""
        losses = {}
        for name, comparison in compared.items():
            losses[f'loss_{term}_{name}'] = self.contrast(comparison.positive, comparison.query)
            losses[f'acc_{term}_{name}'] = comparison.accuracy
        return losses

    def loss(self, inputs: Tuple[Tensor, Tensor], data_samples: Optional[list] = None) -> Dict[str, Tensor]:
        """InfoNCE of each stream, from a query and a key view."""
        return self.contrast_losses(self.compare_streams(self.embed_streams(*inputs)))
