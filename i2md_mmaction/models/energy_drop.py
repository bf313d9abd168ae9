"""Drops what stands out of a feature map."""

from typing import Tuple

import torch
from mmaction.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class EnergyDrop(nn.Module):
    """Energy-based attention-guided drop (EADM), parameter-free and deterministic.

    Elements far from their channel's mean have a low energy and so a high
    attention. Joints whose attention, averaged over channels and frames,
    reaches the threshold are dropped from a sample. So are single positions in
    time, for each channel and joint, whose own attention reaches it. What is
    kept is divided by the share kept of the whole batch, as in the authors'
    code. Source: AimCLR, section 3.3.

    Args:
        keep_prob: Threshold of the attention; 0.9, and 0.7 in the authors'
            ST-GCN.
        coefficient: lambda, 1e-4.

    Example:
        >>> feature = torch.ones(1, 1, 4, 5)  # (B, C, T, V)
        >>> feature[..., 2, 3] = 11.0  # joint 3 stands out in one frame, and so is dropped from all
        >>> (EnergyDrop(keep_prob=0.7)(feature) == 0).all(dim=-2).tolist()
        [[[False, False, False, True, False]]]
    """

    def __init__(self, keep_prob: float = 0.9, coefficient: float = 1e-4) -> None:
        super().__init__()
        self.keep_prob = keep_prob
        self.coefficient = coefficient

    def attention(self, feature: Tensor) -> Tensor:
        """Attention of each element (..., C, T, V), between 0.62 and 1."""
        deviation = (feature - feature.mean(dim=(-2, -1), keepdim=True)).square()
        variance = deviation.sum(dim=(-2, -1), keepdim=True) / (feature.size(-2) * feature.size(-1) - 1)
        return deviation.div_(4 * (variance + self.coefficient)).add_(0.5).sigmoid_()

    def forward(self, feature: Tensor) -> Tensor:
        """Drops from a feature map (..., C, T, V); the input is left as it is."""
        with torch.no_grad():
            attention = self.attention(feature.float())
            joints, joint_scale = self._kept(attention.mean(dim=(-3, -2), keepdim=True) < self.keep_prob)
            frames, frame_scale = self._kept(attention < self.keep_prob)
            scale = (joint_scale * frame_scale).to(feature.dtype)
        return torch.where(joints & frames, feature * scale, 0.0)

    @staticmethod
    def _kept(kept: Tensor) -> Tuple[Tensor, Tensor]:
        """What is kept and its rescaling; all of it where nothing would be left."""
        count = kept.sum()
        return kept | (count == 0), torch.where(count > 0, kept.numel() / count.clamp(min=1), 1.0)

    def extra_repr(self) -> str:
        return f'keep_prob={self.keep_prob}, coefficient={self.coefficient}'
