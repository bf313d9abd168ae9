"""Augmentations along time: (B, M, T, V, C) in and out."""

from typing import Any, Dict, Optional, Tuple

import torch
from mmaction.registry import TRANSFORMS
from torch import Tensor

from .base import Augmentation, uniform


def resize_span(keypoint: Tensor, start: Tensor, span: Tensor, num_frames: int) -> Tensor:
    """Resizes a span of each sample to ``num_frames`` by linear interpolation.

    Samples at the centres of equal cells, as
    ``torch.nn.functional.interpolate(align_corners=False)`` does.

    Args:
        keypoint: (B, M, T, V, C).
        start: (B,), first frame of the span.
        span: (B,), frames in the span, at least 1.
        num_frames: Frames of the result.

    Returns:
        (B, M, num_frames, V, C).
    """
    cell = torch.arange(num_frames, device=keypoint.device, dtype=torch.float32) + 0.5
    position = cell * (span / num_frames)[:, None] - 0.5  # (B, num_frames)
    position = torch.minimum(position.clamp(min=0), (span - 1)[:, None].float())
    lower = position.floor()
    weight = (position - lower)[:, None, :, None, None].to(keypoint.dtype)
    upper = torch.minimum(lower + 1, (span - 1)[:, None].float())

    def frames(index: Tensor) -> Tensor:
        index = (index.long() + start[:, None])[:, None, :, None, None]
        shape = (*keypoint.shape[:2], num_frames, *keypoint.shape[3:])
        return keypoint.gather(2, index.expand(shape))

    return torch.lerp(frames(lower), frames(upper), weight)


@TRANSFORMS.register_module()
class TemporalCropResize(Augmentation):
    """Crops a random span of the valid frames and resizes it.

    CMD and I2MD pre-train with ratios 0.1 to 1 and crop at least 64 frames, or
    all there are (CMD, section 4.2, and its released augmentations); their
    classifiers train with ratios 0.5 to 1.

    Args:
        num_frames: Frames of the view, T.
        ratio: Range of the span as a share of the valid frames.
        min_frames: No span is shorter, unless the sample is.

    Raises:
        ValueError: If a number is out of range.
    """

    resamples = True

    def __init__(
        self, num_frames: int = 64, ratio: Tuple[float, float] = (0.1, 1.0), min_frames: int = 64
    ) -> None:
        if not (0 < ratio[0] <= ratio[1] <= 1 and num_frames > 0 and min_frames > 0):
            raise ValueError(
                f'need 0 < ratio[0] <= ratio[1] <= 1 and positive frame numbers, got ratio={ratio}, '
                f'num_frames={num_frames}, min_frames={min_frames}'
            )
        self.num_frames = num_frames
        self.ratio = tuple(ratio)
        self.min_frames = min_frames

    def draw(self, keypoint: Tensor, lengths: Tensor, generator: Optional[torch.Generator]) -> Dict[str, Any]:
        """Draws start and length of the span, a pair (B,) of frame numbers."""
        scale = uniform(keypoint, lengths.shape, *self.ratio, generator)
        span = (lengths * scale).floor().long().clamp(min=self.min_frames)
        span = torch.minimum(span, lengths)
        start = (uniform(keypoint, lengths.shape, 0, 1, generator) * (lengths - span + 1)).floor().long()
        return dict(start=torch.minimum(start, lengths - span), span=span)

    def apply(self, keypoint: Tensor, start: Tensor, span: Tensor) -> Tensor:
        """Resizes the span to (B, M, num_frames, V, C)."""
        return resize_span(keypoint, start, span, self.num_frames)


@TRANSFORMS.register_module()
class TemporalCenterResize(Augmentation):
    """Resizes the centre of the valid frames: the view of evaluation.

    Args:
        num_frames: Frames of the view, T.
        ratio: Share of the valid frames kept; 0.95 in CMD's evaluation.
    """

    resamples = True

    def __init__(self, num_frames: int = 64, ratio: float = 0.95) -> None:
        if not (0 < ratio <= 1 and num_frames > 0):
            raise ValueError(f'need 0 < ratio <= 1 and num_frames > 0, got {ratio} and {num_frames}')
        self.num_frames = num_frames
        self.ratio = ratio

    def draw(self, keypoint: Tensor, lengths: Tensor, generator: Optional[torch.Generator]) -> Dict[str, Any]:
        """Computes the span; nothing is random here."""
        start = ((1 - self.ratio) * lengths / 2).floor().long()
        return dict(start=start, span=lengths - 2 * start)

    def apply(self, keypoint: Tensor, start: Tensor, span: Tensor) -> Tensor:
        """Resizes the span to (B, M, num_frames, V, C)."""
        return resize_span(keypoint, start, span, self.num_frames)
