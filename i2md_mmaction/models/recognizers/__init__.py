"""Methods: recognizers that wire streams, bank and losses."""

from .aimclr import AimCLR
from .base import SkeletonPretrainer
from .classifier import SkeletonClassifier
from .cmd import CMD
from .crossclr import CrosSCLR
from .i2md import I2MD
from .mcl import MCL
from .moco import SkeletonMoCo

__all__ = [
    'CMD',
    'I2MD',
    'MCL',
    'AimCLR',
    'CrosSCLR',
    'SkeletonClassifier',
    'SkeletonMoCo',
    'SkeletonPretrainer',
]
