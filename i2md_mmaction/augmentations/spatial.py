"""Augmentations of the coordinates of a frame: (B, M, T, V, C) in and out."""

from typing import Any, Dict, Optional, Tuple

import torch
from mmaction.registry import TRANSFORMS
from torch import Tensor

from ..skeletons import get_layout
from .base import Augmentation, per_sample, uniform


def transform_coordinates(keypoint: Tensor, matrix: Tensor) -> Tensor:
    """Multiplies every coordinate vector of a sample by that sample's matrix (B, C, C)."""
    return torch.einsum('bij,bmtvj->bmtvi', matrix, keypoint)


@TRANSFORMS.register_module()
class Shear(Augmentation):
    """Shears the coordinates by a matrix with ones on its diagonal.

    Source: the pose augmentation of CMD, I2MD (amplitude 1) and of AimCLR,
    SkeletonCLR (amplitude 0.5).

    Args:
        amplitude: Off-diagonal entries are U(-amplitude, amplitude).

    Example:
        >>> matrix = torch.tensor([[[1.0, 0.5, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]])  # x gains y / 2
        >>> keypoint = torch.tensor([1.0, 2.0, 3.0]).view(1, 1, 1, 1, 3)
        >>> Shear().apply(keypoint, matrix).flatten().tolist()
        [2.0, 2.0, 3.0]
    """

    def __init__(self, amplitude: float = 1.0) -> None:
        self.amplitude = amplitude

    def draw(self, keypoint: Tensor, lengths: Tensor, generator: Optional[torch.Generator]) -> Dict[str, Any]:
        """Draws the matrix (B, C, C)."""
        channels = keypoint.size(-1)
        shape = (keypoint.size(0), channels, channels)
        matrix = uniform(keypoint, shape, -self.amplitude, self.amplitude, generator)
        diagonal = torch.eye(channels, device=keypoint.device, dtype=torch.bool)
        return dict(matrix=matrix.masked_fill(diagonal, 1.0))

    def apply(self, keypoint: Tensor, matrix: Tensor) -> Tensor:
        """Shears by the matrix (B, C, C)."""
        return transform_coordinates(keypoint, matrix)

    def describe(self, matrix: Tensor) -> str:
        """How far the coordinates lean."""
        return f'by up to {(matrix - torch.eye(len(matrix), device=matrix.device)).abs().max():.2f}'


@TRANSFORMS.register_module()
class JointCorruption(Augmentation):
    """Corrupts some joints throughout a sample.

    The chosen joints are set to zero or, with equal probability, multiplied by
    one random matrix. Source: CMD and I2MD (joint corruption; 15 of NTU's 25
    joints).

    Args:
        num_joints: Joints corrupted in a sample.
        amplitude: Entries of the matrix are U(-amplitude, amplitude).

    Raises:
        ValueError: On use, if the skeleton has fewer than ``num_joints`` joints.

    Example:
        >>> keypoint = torch.ones(1, 2, 8, 25, 3)
        >>> corrupted, _ = JointCorruption(num_joints=15).augment(keypoint, lengths=torch.tensor([8]))
        >>> changed = (corrupted != keypoint).any(dim=-1)  # (B, M, T, V)
        >>> changed.sum(dim=-1).unique().tolist()  # as many in every frame of both persons
        [15]
    """

    def __init__(self, num_joints: int = 15, amplitude: float = 1.0) -> None:
        self.num_joints = num_joints
        self.amplitude = amplitude

    def draw(self, keypoint: Tensor, lengths: Tensor, generator: Optional[torch.Generator]) -> Dict[str, Any]:
        """Draws the joints (B, V) as a mask and their matrix (B, C, C), zero in half of the samples.

        Raises:
            ValueError: If the skeleton has fewer joints than are to be corrupted.
        """
        batch, num_joints, channels = keypoint.size(0), keypoint.size(3), keypoint.size(4)
        if self.num_joints > num_joints:
            raise ValueError(
                f'JointCorruption(num_joints={self.num_joints}) got a skeleton of {num_joints} joints; '
                'lower num_joints (the papers corrupt 15 of 25)'
            )
        order = uniform(keypoint, (batch, num_joints), 0, 1, generator)
        chosen = order.topk(self.num_joints, dim=1).indices
        corrupted = torch.zeros_like(order, dtype=torch.bool).scatter(1, chosen, True)
        matrix = uniform(keypoint, (batch, channels, channels), -self.amplitude, self.amplitude, generator)
        keep = uniform(keypoint, (batch, 1, 1), 0, 1, generator) < 0.5
        return dict(corrupted=corrupted, matrix=matrix * keep)

    def apply(self, keypoint: Tensor, corrupted: Tensor, matrix: Tensor) -> Tensor:
        """Multiplies the joints of the mask (B, V) by the matrix (B, C, C)."""
        return torch.where(
            corrupted[:, None, None, :, None], transform_coordinates(keypoint, matrix), keypoint
        )

    def describe(self, corrupted: Tensor, matrix: Tensor) -> str:
        """How many joints, and which of both corruptions."""
        return f'{int(corrupted.sum())} joints {"mixed" if matrix.any() else "zeroed"}'


@TRANSFORMS.register_module()
class SpatialFlip(Augmentation):
    """Swaps left and right joints; the coordinates themselves are not mirrored.

    Source: AimCLR, section 3.1, as released.

    Args:
        layout: Name of the skeleton layout, whose left and right joints are
            swapped. Within a model it is the model's.
        p: Probability that a sample is flipped; 0.5.

    Raises:
        ValueError: If the layout is unknown.

    Example:
        >>> keypoint = torch.arange(25.0).view(1, 1, 1, 25, 1)  # each joint holds its own number
        >>> flipped = SpatialFlip('ntu25').apply(keypoint).flatten()
        >>> flipped[[3, 4, 8]].tolist()  # head, left shoulder, right shoulder
        [3.0, 8.0, 4.0]
    """

    def __init__(self, layout: str = 'ntu25', p: float = 0.5) -> None:
        self.mirror = get_layout(layout).mirror
        self.p = p

    def apply(self, keypoint: Tensor) -> Tensor:
        """Swaps the joints of each pair."""
        joints = keypoint.unbind(-2)
        return torch.stack([joints[mirrored] for mirrored in self.mirror], dim=-2)


@TRANSFORMS.register_module()
class RandomRotation(Augmentation):
    """Turns a body about x, then y, then z: far about one axis, hardly about the others.

    Source: AimCLR, section 3.1, as released. A body in a plane, of two
    coordinates, turns in that plane, which is about z.

    Args:
        main_degrees: The body turns about the drawn axis by U(0, main_degrees)
            degrees; 30.
        other_degrees: It turns about the others by U(0, other_degrees) degrees; 1.

    Raises:
        ValueError: On use, if joints have neither two nor three coordinates.

    Example:
        >>> keypoint = torch.tensor([1.0, 0.0, 0.0]).view(1, 1, 1, 1, 3)
        >>> quarter_turn = torch.deg2rad(torch.tensor([[0.0, 0.0, 90.0]]))  # about z
        >>> RandomRotation().apply(keypoint, quarter_turn).round().int().flatten().tolist()
        [0, -1, 0]
    """

    def __init__(self, main_degrees: float = 30.0, other_degrees: float = 1.0) -> None:
        self.main_degrees = main_degrees
        self.other_degrees = other_degrees

    def draw(self, keypoint: Tensor, lengths: Tensor, generator: Optional[torch.Generator]) -> Dict[str, Any]:
        """Draws the angles about x, y and z (B, 3), or about z (B, 1), in radians."""
        axes = len(self._axes(keypoint))
        shape = (keypoint.size(0), axes)
        main = uniform(keypoint, shape[:1], 0, axes, generator).long()
        largest = torch.full(shape, self.other_degrees, device=keypoint.device)
        largest = largest.scatter(1, main.clamp(max=axes - 1)[:, None], self.main_degrees)
        return dict(angles=torch.deg2rad(uniform(keypoint, shape, 0, 1, generator) * largest))

    def apply(self, keypoint: Tensor, angles: Tensor) -> Tensor:
        """Turns by the angles (B, 3) about x, y and z, or (B, 1) about z."""
        channels = keypoint.size(-1)
        for angle, axis in zip(angles.unbind(1), self._axes(keypoint)):
            matrix = rotation_matrix(angle, axis)[:, :channels, :channels]
            keypoint = transform_coordinates(keypoint, matrix)
        return keypoint

    def describe(self, angles: Tensor) -> str:
        """The angles in degrees."""
        return f'by {", ".join(f"{angle:.0f}°" for angle in torch.rad2deg(angles).tolist())}'

    @staticmethod
    def _axes(keypoint: Tensor) -> Tuple[int, ...]:
        """The axes about which joints (..., C) can turn."""
        axes = {3: (0, 1, 2), 2: (2,)}.get(keypoint.size(-1))
        if axes is None:
            raise ValueError(f'RandomRotation turns joints of 2 or 3 coordinates, got {keypoint.size(-1)}')
        return axes


def rotation_matrix(angle: Tensor, axis: int) -> Tensor:
    """Rotations (B, 3, 3) about a coordinate axis by angles (B,), in AimCLR's sense of turning."""
    matrix = torch.eye(3, device=angle.device, dtype=angle.dtype).repeat(len(angle), 1, 1)
    first, second = (other for other in range(3) if other != axis)
    sign = -1 if axis == 1 else 1
    matrix[:, first, first] = matrix[:, second, second] = angle.cos()
    matrix[:, first, second] = sign * angle.sin()
    matrix[:, second, first] = -sign * angle.sin()
    return matrix


@TRANSFORMS.register_module()
class GaussianNoise(Augmentation):
    """Adds normal noise to every coordinate.

    Source: AimCLR, section 3.1.

    Args:
        std: Standard deviation, in the unit of the data (metres, or sizes of the
            body); 0.01.
        p: Probability that a sample is augmented; 0.5.

    Example:
        >>> keypoint, lengths = torch.zeros(8, 2, 64, 25, 3), torch.full((8,), 64)
        >>> noisy, _ = GaussianNoise(std=0.01, p=1).augment(keypoint, lengths)
        >>> round(noisy.std().item(), 3)
        0.01
    """

    def __init__(self, std: float = 0.01, p: float = 0.5) -> None:
        self.std = std
        self.p = p

    def draw(self, keypoint: Tensor, lengths: Tensor, generator: Optional[torch.Generator]) -> Dict[str, Any]:
        """Draws the noise, shaped as the batch."""
        noise = torch.randn(keypoint.shape, generator=generator, device=keypoint.device)
        return dict(noise=self.std * noise)

    def apply(self, keypoint: Tensor, noise: Tensor) -> Tensor:
        """Adds the noise."""
        return keypoint + noise


@TRANSFORMS.register_module()
class AxisMask(Augmentation):
    """Projects a body onto a plane, or one in a plane onto a line, by setting one coordinate to zero.

    Source: AimCLR, section 3.1.

    Args:
        p: Probability that a sample is augmented; 0.5.

    Example:
        >>> masked = AxisMask().apply(torch.ones(2, 1, 1, 1, 3), axis=torch.tensor([0, 2]))
        >>> masked.flatten(1).tolist()  # the first sample loses x, the second z
        [[0.0, 1.0, 1.0], [1.0, 1.0, 0.0]]
    """

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def draw(self, keypoint: Tensor, lengths: Tensor, generator: Optional[torch.Generator]) -> Dict[str, Any]:
        """Draws the coordinate (B,)."""
        channels = keypoint.size(-1)
        axis = uniform(keypoint, lengths.shape, 0, channels, generator).long()
        return dict(axis=axis.clamp(max=channels - 1))

    def apply(self, keypoint: Tensor, axis: Tensor) -> Tensor:
        """Zeroes the coordinate of each sample."""
        channels = torch.arange(keypoint.size(-1), device=keypoint.device)
        return keypoint.masked_fill(channels == per_sample(axis), 0.0)

    def describe(self, axis: Tensor) -> str:
        """The coordinate that is lost."""
        return f'of {"xyz"[int(axis)]}'
