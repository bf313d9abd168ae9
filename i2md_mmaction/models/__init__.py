"""Models: imports run one way, from recognizers down to the parts."""

from .backbones import BiGRU, GCNTransformer, SlimSTGCN
from .data_preprocessor import SkeletonViewPreprocessor
from .energy_drop import EnergyDrop
from .heads import EmbeddingClsHead, ProjectionHead
from .losses import (
    DistributionalDivergenceLoss,
    InfoNCELoss,
    MutualContrastiveLoss,
    MutualDistillationLoss,
    NeighborMiningLoss,
)
from .memory_bank import MemoryBank
from .recognizers import (
    CMD,
    I2MD,
    MCL,
    AimCLR,
    CrosSCLR,
    SkeletonClassifier,
    SkeletonMoCo,
    SkeletonPretrainer,
)

__all__ = [
    'CMD',
    'I2MD',
    'MCL',
    'AimCLR',
    'BiGRU',
    'CrosSCLR',
    'DistributionalDivergenceLoss',
    'EmbeddingClsHead',
    'EnergyDrop',
    'GCNTransformer',
    'InfoNCELoss',
    'MemoryBank',
    'MutualContrastiveLoss',
    'MutualDistillationLoss',
    'NeighborMiningLoss',
    'ProjectionHead',
    'SkeletonClassifier',
    'SkeletonMoCo',
    'SkeletonPretrainer',
    'SkeletonViewPreprocessor',
    'SlimSTGCN',
]
