"""Projector and classifier on top of a backbone's feature."""

from typing import Optional

from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F


@MODELS.register_module()
class ProjectionHead(BaseModule):
    """MLP to the unit sphere on which similarities are taken.

    Source: MoCo v2; two layers, 128 dimensions in CMD, I2MD and AimCLR.

    Args:
        in_channels: H, dimensions of the hidden embedding.
        out_channels: D, dimensions of the embedding.
        hidden_channels: Width between the layers; H by default.
        num_layers: 2, or 1 for a linear projector (MoCo v1).
        init_cfg: Xavier-uniform, as CMD initialises.
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
        return F.normalize(self.layers(hidden).float(), dim=1)
