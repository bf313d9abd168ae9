"""A stream: one modality, its query encoder and that encoder's momentum copy."""

from copy import deepcopy
from typing import NamedTuple

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from .modality import Modality


class Embedding(NamedTuple):
    """What an encoder makes of a batch."""

    hidden: Tensor
    """h, the backbone's feature (B, H)."""
    unit: Tensor
    """z, its projection (B, D) of unit length."""


class Encoder(BaseModule):
    """Backbone and projector.

    Args:
        backbone: Config of a backbone. One of this package names its width
            ``embed_dims``; mmaction2's graph networks, whose feature map
            (B, M, C, T, V) is averaged over persons, frames and joints, are
            served by naming it in the config of the projector
            (``in_channels``).
        projector: Config of a projector.

    Raises:
        ValueError: If the backbone's width is nowhere named.
    """

    def __init__(self, backbone: dict, projector: dict) -> None:
        super().__init__()
        self.backbone = MODELS.build(backbone)
        self.embed_dims = projector.get('in_channels', getattr(self.backbone, 'embed_dims', None))
        if self.embed_dims is None:
            raise ValueError(
                f'{backbone["type"]} has no embed_dims; give the width of its feature as '
                'projector=dict(in_channels=...)'
            )
        self.projector = MODELS.build(dict(projector, in_channels=self.embed_dims))

    def extract(self, x: Tensor) -> Tensor:
        """The hidden embedding (B, H) of a modality (B, M, T, V, C)."""
        return self.pool(self.backbone(x))

    @staticmethod
    def pool(feature: Tensor) -> Tensor:
        """Means a feature map (B, M, C, T, V) over persons, frames and joints; passes (B, H) on."""
        return feature.mean(dim=(1, 3, 4)) if feature.dim() == 5 else feature

    def forward(self, x: Tensor) -> Embedding:
        """Embeds a modality (B, M, T, V, C)."""
        hidden = self.extract(x)
        return Embedding(hidden, self.projector(hidden))


class Stream(BaseModule):
    """Query encoder of one modality and its momentum copy, the key encoder.

    Source: MoCo, section 3.2. The key encoder has BatchNorm statistics of its
    own; momentum moves parameters only, as in CMD's released code.

    Args:
        modality: ``'joint'``, ``'motion'`` or ``'bone'``.
        layout: Name of the skeleton layout.
        backbone: Config of the backbone.
        projector: Config of the projector.
        momentum: m in ``key = m * key + (1 - m) * query``; 0.999 in the papers.
            (MMEngine's averaged models call 1 - m their momentum.)
    """

    def __init__(
        self, modality: str, layout: str, backbone: dict, projector: dict, momentum: float = 0.999
    ) -> None:
        super().__init__()
        self.modality = Modality(modality, layout)
        self.query = Encoder(backbone, projector)
        self.key = deepcopy(self.query).requires_grad_(False)
        self.momentum = momentum
        self._average = get_ema_multi_avg_fn(momentum)

    def init_weights(self) -> None:
        """Initialises the query encoder; the key encoder starts as its copy."""
        self.query.init_weights()
        self.key.load_state_dict(self.query.state_dict())

    @torch.no_grad()
    def update_key(self) -> None:
        """Moves the key encoder towards the query encoder, all tensors in one call."""
        self._average(list(self.key.parameters()), list(self.query.parameters()), None)

    def forward(self, view: Tensor) -> Embedding:
        """Embeds a view (B, M, T, V, C) of joints with the query encoder."""
        return self.query(self.modality(view))

    @torch.no_grad()
    def embed_key(self, view: Tensor) -> Embedding:
        """Embeds a view (B, M, T, V, C) of joints with the key encoder."""
        return self.key(self.modality(view))
