"""The encoder of I2MD, which can look at neighbours."""

from copy import deepcopy
from typing import Tuple

from mmaction.registry import MODELS
from torch import Tensor

from .encoder import Embedding, SkeletonEncoder


@MODELS.register_module()
class NeighborEncoder(SkeletonEncoder):
    """An instance branch and a cluster branch that share modality, backbone and pool.

    The cluster branch attends to the hidden embeddings of neighbours. Source:
    I2MD, section 3.3 (dynamic neighbours aggregation), equation 7.

    Args:
        share_projector: Whether the branches share the projector too, as the
            paper's weight sharing is read here, or have one each.
        **kwargs: As for :class:`SkeletonEncoder`. The backbone must take
            neighbours, as :class:`GCNTransformer` does.

    Raises:
        TypeError: If the backbone cannot attend to neighbours.

    Example:
        >>> import torch
        >>> backbone = dict(type='GCNTransformer', embed_dims=32, depth=1, num_heads=4)
        >>> encoder = NeighborEncoder(backbone=backbone, projector=dict(type='ProjectionHead'))
        >>> frames, instance = encoder.instance(torch.rand(2, 2, 64, 25, 3))
        >>> encoder.cluster(frames, neighbors=torch.rand(2, 5, 32)).embedding.shape
        torch.Size([2, 128])
    """

    def __init__(self, share_projector: bool = True, **kwargs) -> None:
        super().__init__(**kwargs)
        if not hasattr(self.backbone, 'attend'):
            raise TypeError(
                f'{type(self.backbone).__name__} cannot attend to neighbours; I2MD needs a backbone with '
                'tokenize() and attend(frames, neighbors, padding), such as GCNTransformer'
            )
        self.cluster_projector = None if share_projector else deepcopy(self.projector)

    def instance(self, view: Tensor) -> Tuple[Tensor, Embedding]:
        """Embeds joints (B, M, T, V, C) without neighbours.

        Returns:
            The frames (B, T, E) as both branches take them, and the embedding.
        """
        frames = self.backbone.tokenize(self.modality(view))
        return frames, self.project(self.pool(self.backbone.attend(frames)))

    def cluster(self, frames: Tensor, neighbors: Tensor, padding: Tensor = None) -> Embedding:
        """Embeds frames (B, T, E) in the light of their neighbours (equation 7).

        Args:
            frames: From :meth:`instance`.
            neighbors: (B, K, H), hidden embeddings.
            padding: (B, K), True where a neighbour is to be ignored.
        """
        hidden = self.pool(self.backbone.attend(frames, neighbors, padding))
        if self.cluster_projector is None:
            return self.project(hidden)
        return Embedding(hidden, self.cluster_projector(hidden))
