"""Methods: recognizers that wire streams, bank and losses."""

from .aimclr import AimCLR
from .base import SelfSupervised
from .classifier import SkeletonClassifier
from .cmd import CMD
from .crossclr import CrosSCLR
from .i2md import I2MD
from .mcl import MCL
from .moco import SkeletonMoCo
from .momentum import MomentumContrast

__all__ = [
    'CMD',
    'I2MD',
    'MCL',
    'AimCLR',
    'CrosSCLR',
    'MomentumContrast',
    'SelfSupervised',
    'SkeletonClassifier',
    'SkeletonMoCo',
]
