"""Encoders and classifiers outside a run: from skeletons to embeddings and class names."""

from .classifier import Predictions, SkeletonClassifierInferencer
from .clips import Clips, GivenSkeletons
from .encoder import Embeddings, SkeletonEncoder
from .export import Exported, ExportError, export_stream, load_inferencer
from .files import write_embeddings, write_predictions
from .retrieval import Retrieval, retrieve

__all__ = [
    'Clips',
    'Embeddings',
    'ExportError',
    'Exported',
    'GivenSkeletons',
    'Predictions',
    'Retrieval',
    'SkeletonClassifierInferencer',
    'SkeletonEncoder',
    'export_stream',
    'load_inferencer',
    'retrieve',
    'write_embeddings',
    'write_predictions',
]
