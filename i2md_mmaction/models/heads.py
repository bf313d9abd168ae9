"""Projector and classifier on top of a backbone's feature."""

from typing import Optional

import torch
from mmaction.models.heads import BaseHead
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F

from .similarity import at_least_float32


@MODELS.register_module()
class ProjectionHead(BaseModule):
    """MLP to the unit sphere on which similarities are taken.

    Source: MoCo v2; two layers and 128 dimensions in CMD, I2MD and AimCLR.

    Args:
        in_channels: H, dimensions of the hidden embedding.
        out_channels: D, dimensions of the embedding.
        hidden_channels: Width between the layers; H by default.
        num_layers: 2, or 1 for a linear projector (MoCo v1).
        init_cfg: Xavier-uniform, as CMD initialises.

    Raises:
        ValueError: If the number of layers is neither 1 nor 2.

    Example:
        >>> embedding = ProjectionHead(in_channels=2048)(torch.rand(4, 2048))
        >>> embedding.shape, bool(torch.allclose(embedding.norm(dim=1), torch.ones(4)))
        (torch.Size([4, 128]), True)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int = 128,
        hidden_channels: Optional[int] = None,
        num_layers: int = 2,
        init_cfg: Optional[dict] = dict(type='Xavier', layer='Linear', distribution='uniform'),  # noqa: B006
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        self.out_channels = out_channels
        if num_layers not in (1, 2):
            raise ValueError(f'a projector has 1 or 2 layers, got {num_layers}')
        hidden_channels = hidden_channels or in_channels
        layers = [nn.Linear(in_channels, hidden_channels), nn.ReLU()] if num_layers == 2 else []
        width = hidden_channels if layers else in_channels
        self.layers = nn.Sequential(*layers, nn.Linear(width, out_channels))

    def forward(self, hidden: Tensor) -> Tensor:
        """Projects h (B, H) to z (B, D) of unit length, float32 also under autocast."""
        return F.normalize(at_least_float32(self.layers(hidden)), dim=1)


@MODELS.register_module()
class EmbeddingClsHead(BaseHead):
    """Linear classifier on the hidden embedding.

    Scores are kept as they are (``average_clips='score'``), so that what
    mmaction2 dumps is what AimCLR fuses: raw logits.

    Args:
        num_classes: Number of classes.
        in_channels: H, dimensions of the hidden embedding.
        average_clips: As for ``BaseHead``.
        init_cfg: N(0, 0.01) with zero bias, as CMD and AimCLR initialise.
        **kwargs: As for ``BaseHead``.

    Raises:
        ValueError: On prediction, if a score is NaN or infinite.

    Example:
        >>> from mmaction.structures import ActionDataSample
        >>> head = EmbeddingClsHead(num_classes=3, in_channels=16)
        >>> (sample,) = head.predict_by_feat(torch.tensor([[4.0, -2.0, 1.0]]), [ActionDataSample()])
        >>> sample.pred_score.tolist(), sample.pred_label.tolist()
        ([4.0, -2.0, 1.0], [0])
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        average_clips: str = 'score',
        init_cfg: Optional[dict] = dict(type='Normal', layer='Linear', std=0.01),  # noqa: B006
        **kwargs,
    ) -> None:
        super().__init__(num_classes, in_channels, average_clips=average_clips, init_cfg=init_cfg, **kwargs)
        self.fc = nn.Linear(in_channels, num_classes)

    def forward(self, hidden: Tensor, **kwargs) -> Tensor:
        """Scores h (B, H) to (B, num_classes), float32 also under autocast."""
        return at_least_float32(self.fc(hidden))

    def predict_by_feat(self, cls_scores: Tensor, data_samples: list) -> list:
        """As ``BaseHead``, but refuses scores that are not finite.

        Their highest would be taken for a class, though they mean nothing.

        Raises:
            ValueError: If a score is NaN or infinite.
        """
        finite = torch.isfinite(cls_scores).view(len(data_samples), -1).all(dim=1).tolist()
        names = [sample.get('frame_dir', '?') for sample, sound in zip(data_samples, finite) if not sound]
        if names:
            raise ValueError(
                f'class scores of {len(names)} of {len(data_samples)} samples are NaN or infinite, the first '
                f'{names[:3]}; the checkpoint is of a run that diverged, or these samples are broken'
            )
        return super().predict_by_feat(cls_scores, data_samples)
