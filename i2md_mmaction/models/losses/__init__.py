"""Losses on similarities; none knows an encoder."""

from .distillation import MutualDistillationLoss
from .info_nce import InfoNCELoss

__all__ = ['InfoNCELoss', 'MutualDistillationLoss']
