"""Losses on similarities; none knows an encoder."""

from .distillation import MutualDistillationLoss
from .divergence import DistributionalDivergenceLoss
from .info_nce import InfoNCELoss
from .neighbor_mining import NeighborMiningLoss

__all__ = [
    'DistributionalDivergenceLoss',
    'InfoNCELoss',
    'MutualDistillationLoss',
    'NeighborMiningLoss',
]
