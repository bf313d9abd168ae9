"""Encoders, and the streams that train them."""

from copy import deepcopy
from typing import NamedTuple, Optional

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from ..parts import fill_in
from .modality import Modality


class Embedding(NamedTuple):
    """What an encoder makes of a batch."""

    hidden: Tensor
    """h, the pooled feature of the backbone (B, H)."""
    embedding: Tensor
    """z, its projection (B, D) of unit length."""


def average_map(feature: Tensor) -> Tensor:
    """Averages a map (B, M, H, T, V) over persons, frames and joints; passes (B, H) on."""
    return feature.mean(dim=(1, 3, 4)) if feature.dim() == 5 else feature


@MODELS.register_module()
class SkeletonEncoder(BaseModule):
    """The one way from joints to features: modality, backbone, pool, projector.

    Each step can also be taken by itself: ``pool(tokens(view))`` is
    ``extract(view)``, and :meth:`project` of that is ``encoder(view)``.

    Args:
        backbone: Config of the backbone; its layout, persons and ``in_channels``
            (coordinates) are those of the encoder. It maps (B, M, T, V, C) to a feature (B, H) or, as
            mmaction2's graph networks do, to a map (B, M, H, T, V). One that
            can also give its features frame by frame has ``tokens()`` and
            ``pool()``, as :class:`BiGRU` and :class:`GCNTransformer`.
        projector: Config of the projector; None for an encoder without one.
        modality: ``'joint'``, ``'motion'`` or ``'bone'``.
        layout: Name of the skeleton layout.
        num_persons: Persons M of a view.
        num_coordinates: Coordinates C of a joint.
        embed_dims: H; by default what the backbone names as its ``embed_dims``.

    Raises:
        ValueError: If the backbone's width is nowhere named.

    Example:
        >>> encoder = SkeletonEncoder(dict(type='BiGRU', hidden_channels=8), dict(type='ProjectionHead'))
        >>> view = torch.rand(2, 2, 16, 25, 3)
        >>> encoder.tokens(view).shape, encoder.extract(view).shape, encoder(view).embedding.shape
        (torch.Size([2, 16, 16]), torch.Size([2, 16]), torch.Size([2, 128]))
    """

    def __init__(
        self,
        backbone: dict,
        projector: Optional[dict] = None,
        modality: str = 'joint',
        layout: str = 'ntu25',
        num_persons: int = 2,
        num_coordinates: int = 3,
        embed_dims: Optional[int] = None,
    ) -> None:
        super().__init__()
        self.modality = Modality(modality, layout)
        skeleton = dict(layout=layout, num_persons=num_persons, in_channels=num_coordinates)
        self.backbone = MODELS.build(fill_in(backbone, MODELS, **skeleton))
        given = embed_dims or (projector or {}).get('in_channels')
        self.embed_dims = given or getattr(self.backbone, 'embed_dims', None)
        if self.embed_dims is None:
            raise ValueError(
                f'{backbone["type"]} has no embed_dims; give the width of its feature as in_channels of '
                'the projector or the classification head'
            )
        self.projector = None
        if projector is not None:
            self.projector = MODELS.build(dict(projector, in_channels=self.embed_dims))

    def tokens(self, view: Tensor) -> Tensor:
        """Features before pooling: a token for each frame (B, T, H), or a map (B, M, H, T, V).

        Of a backbone that pools by itself and has no tokens, its feature (B, H).
        """
        x = self.modality(view)
        return self.backbone.tokens(x) if hasattr(self.backbone, 'tokens') else self.backbone(x)

    def pool(self, tokens: Tensor) -> Tensor:
        """Pools what :meth:`tokens` gives to the hidden embedding (B, H).

        A map is averaged over persons, frames and joints; tokens as the
        backbone pools them.
        """
        if hasattr(self.backbone, 'pool'):
            return self.backbone.pool(tokens)
        return average_map(tokens)

    def project(self, hidden: Tensor) -> Embedding:
        """The hidden embedding (B, H) and its projection (B, D).

        Raises:
            TypeError: If the encoder was built without a projector.
        """
        if self.projector is None:
            raise TypeError('this encoder has no projector; take extract() or tokens(), or give it one')
        return Embedding(hidden, self.projector(hidden))

    def extract(self, view: Tensor) -> Tensor:
        """The hidden embedding (B, H) of joints (B, M, T, V, C)."""
        return self.pool(self.tokens(view))

    def forward(self, view: Tensor) -> Embedding:
        """Embeds joints (B, M, T, V, C)."""
        return self.project(self.extract(view))


class Stream(BaseModule):
    """One modality of a method, and the encoder that it trains.

    Args:
        encoder: Config of the encoder.
    """

    def __init__(self, encoder: dict) -> None:
        super().__init__()
        self.query = MODELS.build(encoder)

    def forward(self, view: Tensor) -> Embedding:
        """Embeds a view (B, M, T, V, C) of joints."""
        return self.query(view)


class MomentumStream(Stream):
    """A stream with a momentum copy of its encoder, the key encoder.

    Source: MoCo, section 3.2. The key encoder has BatchNorm statistics of its
    own; momentum moves parameters only, as in CMD's released code.

    Args:
        encoder: Config of the encoder.
    """

    def __init__(self, encoder: dict) -> None:
        super().__init__(encoder)
        self.key = deepcopy(self.query).requires_grad_(False)

    def init_weights(self) -> None:
        """Initialises the query encoder; the key encoder starts as its copy."""
        self.query.init_weights()
        self.key.load_state_dict(self.query.state_dict())

    @torch.no_grad()
    def update_key(self, momentum: float) -> None:
        """Moves the key encoder towards the query encoder, all tensors in one call.

        Args:
            momentum: m in ``key = m * key + (1 - m) * query``. (MMEngine's
                averaged models call 1 - m their momentum.)
        """
        average = get_ema_multi_avg_fn(momentum)
        average(list(self.key.parameters()), list(self.query.parameters()), None)

    @torch.no_grad()
    def embed_key(self, view: Tensor) -> Embedding:
        """Embeds a view (B, M, T, V, C) of joints with the key encoder."""
        return self.key(view)
