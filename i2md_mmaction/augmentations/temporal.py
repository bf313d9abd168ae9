"""Augmentations along time: (B, M, T, V, C) in and out."""

from typing import Any, Dict, Optional, Tuple

import torch
from mmaction.registry import TRANSFORMS
from torch import Tensor
from torch.nn import functional as F

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
        ratio: Range of the span's length as a share of the valid frames.
        min_frames: No span is shorter than this, unless the sample is.

    Raises:
        ValueError: If a number is out of range.

    Example:
        >>> keypoint = torch.arange(10.0).view(1, 1, 10, 1, 1)  # each frame holds its own number
        >>> crop = TemporalCropResize(num_frames=4)
        >>> crop.apply(keypoint, start=torch.tensor([2]), span=torch.tensor([8])).flatten().tolist()
        [2.5, 4.5, 6.5, 8.5]
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

    def describe(self, start: Tensor, span: Tensor) -> str:
        """The frames of the span."""
        return f'of frames {int(start)} to {int(start + span) - 1}'


@TRANSFORMS.register_module()
class TemporalCenterResize(Augmentation):
    """Resizes the centre of the valid frames: the view of evaluation.

    Args:
        num_frames: Frames of the view, T.
        ratio: Share of the valid frames kept; 0.95 in CMD's evaluation.

    Raises:
        ValueError: If a number is out of range.

    Example:
        >>> keypoint = torch.arange(8.0).view(1, 1, 8, 1, 1)  # each frame holds its own number
        >>> view, lengths = TemporalCenterResize(num_frames=4, ratio=0.5).augment(keypoint, torch.tensor([8]))
        >>> view.flatten().tolist(), lengths.tolist()
        ([2.0, 3.0, 4.0, 5.0], [4])
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

    def describe(self, start: Tensor, span: Tensor) -> str:
        """The frames of the span."""
        return f'of frames {int(start)} to {int(start + span) - 1}'


@TRANSFORMS.register_module()
class TemporalMirrorCrop(Augmentation):
    """Mirrors both ends outward, then takes T frames from a random start.

    Source: the temporal crop of SkeletonCLR and AimCLR. All frames must be
    valid, so put a resize before it.

    Args:
        padding_ratio: T // padding_ratio frames are mirrored at each end; 6.

    Example:
        >>> keypoint = torch.arange(6.0).view(1, 1, 6, 1, 1)  # each frame holds its own number
        >>> crop = TemporalMirrorCrop(padding_ratio=3)
        >>> crop.apply(keypoint, start=torch.tensor([0])).flatten().tolist()  # the earliest of 5 starts
        [1.0, 0.0, 0.0, 1.0, 2.0, 3.0]
    """

    takes_padding = False

    def __init__(self, padding_ratio: int = 6) -> None:
        self.padding_ratio = padding_ratio

    def draw(self, keypoint: Tensor, lengths: Tensor, generator: Optional[torch.Generator]) -> Dict[str, Any]:
        """Draws the start (B,) within the padded sequence."""
        starts = 2 * (keypoint.size(2) // self.padding_ratio) + 1
        return dict(start=uniform(keypoint, lengths.shape, 0, starts, generator).long().clamp(max=starts - 1))

    def apply(self, keypoint: Tensor, start: Tensor) -> Tensor:
        """Takes T frames from ``start``; the frame at an end is its own mirror image."""
        frames = keypoint.size(2)
        padding = frames // self.padding_ratio
        index = torch.arange(frames, device=keypoint.device) + start[:, None] - padding
        index = torch.where(index < 0, -1 - index, index)
        index = torch.where(index >= frames, 2 * frames - 1 - index, index)
        return keypoint.gather(2, index[:, None, :, None, None].expand_as(keypoint))


@TRANSFORMS.register_module()
class TemporalFlip(Augmentation):
    """Reverses time.

    Source: AimCLR, section 3.1; switched off in its released configs. All
    frames must be valid, so put a resize before it.

    Args:
        p: Probability that a sample is reversed; 0.5.

    Example:
        >>> keypoint = torch.arange(3.0).view(1, 1, 3, 1, 1)  # each frame holds its own number
        >>> TemporalFlip(p=1).augment(keypoint, lengths=torch.tensor([3]))[0].flatten().tolist()
        [2.0, 1.0, 0.0]
    """

    takes_padding = False

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def apply(self, keypoint: Tensor) -> Tensor:
        """Reverses the frames."""
        return keypoint.flip(2)


@TRANSFORMS.register_module()
class TemporalGaussianBlur(Augmentation):
    """Blurs along time.

    Source: AimCLR, section 3.1. The released kernel does not sum to 1, so it
    amplifies as well as blurs; that is the default here, to match the release.
    All frames must be valid, so put a resize before it.

    Args:
        kernel_size: Frames under the kernel, an odd number; 15.
        sigma: Range of the kernel's standard deviation, in frames; 0.1 to 2.
        normalize: Whether the kernel is scaled to sum to 1.
        p: Probability that a sample is blurred; 0.5.

    Raises:
        ValueError: If the kernel size is even, since the kernel then has no middle.

    Example:
        >>> keypoint, sigma = torch.ones(1, 1, 31, 1, 1), torch.tensor([1.0])  # nothing moves
        >>> released = TemporalGaussianBlur().apply(keypoint, sigma)
        >>> normalized = TemporalGaussianBlur(normalize=True).apply(keypoint, sigma)
        >>> [round(blurred[0, 0, 15].item(), 2) for blurred in (released, normalized)]
        [2.51, 1.0]
    """

    takes_padding = False

    def __init__(
        self,
        kernel_size: int = 15,
        sigma: Tuple[float, float] = (0.1, 2.0),
        normalize: bool = False,
        p: float = 0.5,
    ) -> None:
        if kernel_size % 2 == 0:
            raise ValueError(f'kernel_size must be odd, got {kernel_size}')
        self.kernel_size = kernel_size
        self.sigma = tuple(sigma)
        self.normalize = normalize
        self.p = p

    def draw(self, keypoint: Tensor, lengths: Tensor, generator: Optional[torch.Generator]) -> Dict[str, Any]:
        """Draws the width (B,)."""
        return dict(sigma=uniform(keypoint, lengths.shape, *self.sigma, generator))

    def apply(self, keypoint: Tensor, sigma: Tensor) -> Tensor:
        """Convolves each sample with its Gaussian; frames outside count as zero."""
        radius = self.kernel_size // 2
        offset = torch.arange(-radius, radius + 1, device=keypoint.device)
        kernel = torch.exp(-offset.square() / (2 * sigma[:, None].square()))  # (B, kernel_size)
        if self.normalize:
            kernel = kernel / kernel.sum(dim=1, keepdim=True)
        batch, frames = keypoint.size(0), keypoint.size(2)
        # Samples become channels, so that each meets a kernel of its own.
        series = keypoint.permute(1, 3, 4, 0, 2).reshape(-1, batch, frames)
        blurred = F.conv1d(series, kernel[:, None].to(keypoint.dtype), padding=radius, groups=batch)
        persons, joints, channels = keypoint.size(1), keypoint.size(3), keypoint.size(4)
        return blurred.view(persons, joints, channels, batch, frames).permute(3, 0, 4, 1, 2)
