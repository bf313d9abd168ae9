"""Evaluation of frozen features: functions on arrays, and the metrics around them."""

from .knn import concatenate_streams, knn_accuracy, knn_predict
from .metrics import KNNAccuracy

__all__ = ['KNNAccuracy', 'concatenate_streams', 'knn_accuracy', 'knn_predict']
