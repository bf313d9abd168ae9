"""Evaluation of frozen features: functions on arrays, and the metrics around them."""

from .ensemble import AIMCLR_WEIGHTS, fuse_scores
from .knn import concatenate_streams, knn_accuracy, knn_predict
from .linear import LinearRecipe, accuracy, fit_linear, linear_cached
from .metrics import KNNAccuracy

__all__ = [
    'AIMCLR_WEIGHTS',
    'KNNAccuracy',
    'LinearRecipe',
    'accuracy',
    'concatenate_streams',
    'fit_linear',
    'fuse_scores',
    'knn_accuracy',
    'knn_predict',
    'linear_cached',
]
