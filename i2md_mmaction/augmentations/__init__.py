"""Batched augmentations of skeleton sequences."""

from .base import Augmentation
from .compose import ComposeAugmentations, OneOfAugmentations, build_augmentation
from .record import recording
from .spatial import AxisMask, GaussianNoise, JointCorruption, RandomRotation, Shear, SpatialFlip
from .temporal import (
    TemporalCenterResize,
    TemporalCropResize,
    TemporalFlip,
    TemporalGaussianBlur,
    TemporalMirrorCrop,
)

__all__ = [
    'Augmentation',
    'AxisMask',
    'ComposeAugmentations',
    'GaussianNoise',
    'JointCorruption',
    'OneOfAugmentations',
    'RandomRotation',
    'Shear',
    'SpatialFlip',
    'TemporalCenterResize',
    'TemporalCropResize',
    'TemporalFlip',
    'TemporalGaussianBlur',
    'TemporalMirrorCrop',
    'build_augmentation',
    'recording',
]
