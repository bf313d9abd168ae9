"""Batched augmentations of skeleton sequences."""

from .base import Augmentation
from .compose import ComposeAugmentations, OneOfAugmentations, build_augmentation
from .spatial import JointCorruption, Shear
from .temporal import TemporalCenterResize, TemporalCropResize

__all__ = [
    'Augmentation',
    'ComposeAugmentations',
    'JointCorruption',
    'OneOfAugmentations',
    'Shear',
    'TemporalCenterResize',
    'TemporalCropResize',
    'build_augmentation',
]
