"""Evaluation of frozen features: functions on arrays, and the metrics around them."""

from .ensemble import AIMCLR_WEIGHTS, fuse_scores
from .knn import (
    concatenate_streams,
    knn_accuracy,
    knn_predict,
    knn_predictions,
    knn_search,
    nearest_others,
)
from .linear import LinearRecipe, accuracy, fit_linear, linear_cached
from .metrics import EmbeddingQuality, KNNAccuracy
from .quality import alignment, effective_rank, spread, uniformity

__all__ = [
    'AIMCLR_WEIGHTS',
    'EmbeddingQuality',
    'KNNAccuracy',
    'LinearRecipe',
    'accuracy',
    'alignment',
    'concatenate_streams',
    'effective_rank',
    'fit_linear',
    'fuse_scores',
    'knn_accuracy',
    'knn_predict',
    'knn_predictions',
    'knn_search',
    'linear_cached',
    'nearest_others',
    'spread',
    'uniformity',
]
