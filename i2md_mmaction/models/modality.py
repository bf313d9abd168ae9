"""Modalities of a skeleton: pure functions of the (augmented) joints and the layout."""

import torch
from torch import Tensor, nn

from ..skeletons import get_layout

MODALITIES = ('joint', 'motion', 'bone')


def joint_to_motion(joint: Tensor) -> Tensor:
    """Difference to the next frame, zero for the last: (..., T, V, C) in and out."""
    motion = torch.diff(joint, dim=-3)
    return torch.cat((motion, torch.zeros_like(joint[..., :1, :, :])), dim=-3)


def joint_to_bone(joint: Tensor, parents: Tensor) -> Tensor:
    """Difference to the parent joint, zero for the root: (..., V, C) in and out.

    Args:
        joint: Joint coordinates.
        parents: (V,), parent of each joint; the root is its own.
    """
    return joint - joint.index_select(-2, parents)


class Modality(nn.Module):
    """Turns joints into the input of a stream.

    Source: CMD, section 3.1; I2MD, section 3.1.

    Args:
        name: ``'joint'``, ``'motion'`` or ``'bone'``.
        layout: Name of the skeleton layout.

    Raises:
        ValueError: If the modality is unknown.

    Example:
        >>> Modality('bone', 'ntu25')(torch.rand(8, 2, 64, 25, 3)).shape
        torch.Size([8, 2, 64, 25, 3])
    """

    def __init__(self, name: str, layout: str) -> None:
        super().__init__()
        if name not in MODALITIES:
            raise ValueError(f'unknown modality {name!r}; choose of {MODALITIES}')
        self.name = name
        self.register_buffer('parents', torch.tensor(get_layout(layout).parents), persistent=False)

    def forward(self, joint: Tensor) -> Tensor:
        """Maps joints (B, M, T, V, C) to the modality, same shape."""
        if self.name == 'motion':
            return joint_to_motion(joint)
        if self.name == 'bone':
            return joint_to_bone(joint, self.parents)
        return joint

    def extra_repr(self) -> str:
        return self.name
