"""Augmentations of the coordinates of a frame: (B, M, T, V, C) in and out."""

from typing import Any, Dict, Optional

import torch
from mmaction.registry import TRANSFORMS
from torch import Tensor

from .base import Augmentation, uniform


def transform_coordinates(keypoint: Tensor, matrix: Tensor) -> Tensor:
    """Multiplies every coordinate vector of a sample by that sample's matrix (B, C, C)."""
    return torch.einsum('bij,bmtvj->bmtvi', matrix, keypoint)


@TRANSFORMS.register_module()
class Shear(Augmentation):
    """Shears the coordinates by a matrix of unit diagonal.

    Source: the pose augmentation of CMD, I2MD (amplitude 1) and of AimCLR,
    SkeletonCLR (amplitude 0.5).

    Args:
        amplitude: Off-diagonal entries are U(-amplitude, amplitude).
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


@TRANSFORMS.register_module()
class JointCorruption(Augmentation):
    """Corrupts some joints throughout a sample.

    The chosen joints are, at even odds, zeroed or multiplied by one random
    matrix. Source: CMD and I2MD (joint corruption; 15 of NTU's 25 joints).

    Args:
        num_joints: Joints corrupted in a sample.
        amplitude: Entries of the matrix are U(-amplitude, amplitude).
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
