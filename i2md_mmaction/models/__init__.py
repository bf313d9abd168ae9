"""Models: imports run one way, from recognizers down to the parts."""

from .backbones import BiGRU, GCNTransformer, SlimSTGCN
from .data_preprocessor import SkeletonViewPreprocessor
from .encoder import MomentumStream, SkeletonEncoder, Stream
from .energy_drop import EnergyDrop
from .heads import EmbeddingClsHead, ProjectionHead
from .losses import (
    DistributionalDivergenceLoss,
    InfoNCELoss,
    MutualDistillationLoss,
    NeighborMiningLoss,
)
from .memory_bank import MemoryBank, entry_name
from .neighbor_encoder import NeighborEncoder
from .recognizers import (
    CMD,
    I2MD,
    MCL,
    AimCLR,
    CrosSCLR,
    MomentumContrast,
    SelfSupervised,
    SkeletonClassifier,
    SkeletonMoCo,
)
from .similarity import Similarity

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
    'MomentumContrast',
    'MomentumStream',
    'MutualDistillationLoss',
    'NeighborEncoder',
    'NeighborMiningLoss',
    'ProjectionHead',
    'SelfSupervised',
    'Similarity',
    'SkeletonClassifier',
    'SkeletonEncoder',
    'SkeletonMoCo',
    'SkeletonViewPreprocessor',
    'SlimSTGCN',
    'Stream',
    'entry_name',
]
