"""Encoders and classifiers outside a run: from skeletons to embeddings and class names."""

from .classifier import Predictions, SkeletonClassifierInferencer
from .clips import Clips, GivenSkeletons
from .encoder import Embeddings, SkeletonEncoder
from .files import write_embeddings, write_predictions

__all__ = [
    'Clips',
    'Embeddings',
    'GivenSkeletons',
    'Predictions',
    'SkeletonClassifierInferencer',
    'SkeletonEncoder',
    'write_embeddings',
    'write_predictions',
]
