"""Methods: recognizers that wire streams, bank and losses."""

from .base import SkeletonPretrainer
from .cmd import CMD
from .i2md import I2MD
from .moco import SkeletonMoCo

__all__ = ['CMD', 'I2MD', 'SkeletonMoCo', 'SkeletonPretrainer']
