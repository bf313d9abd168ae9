"""Models: imports run one way, from recognizers down to the parts."""

from .backbones import BiGRU, GCNTransformer
from .data_preprocessor import SkeletonViewPreprocessor
from .heads import ProjectionHead
from .losses import InfoNCELoss, MutualDistillationLoss
from .memory_bank import MemoryBank
from .recognizers import CMD, I2MD, SkeletonMoCo, SkeletonPretrainer

__all__ = [
    'CMD',
    'I2MD',
    'BiGRU',
    'GCNTransformer',
    'InfoNCELoss',
    'MemoryBank',
    'MutualDistillationLoss',
    'ProjectionHead',
    'SkeletonMoCo',
    'SkeletonPretrainer',
    'SkeletonViewPreprocessor',
]
