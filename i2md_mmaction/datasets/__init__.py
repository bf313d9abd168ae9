"""Skeleton data: annotation checks, datasets and CPU transforms."""

from .annotation_file import open_annotations
from .annotations import AnnotationError, check_annotations, load_annotations
from .class_names import class_label, class_names
from .labels import check_labels, joined_datasets, label_names, shared_samples
from .pixels import PixelNormalize
from .skeleton_dataset import SkeletonDataset
from .subsets import select_subset
from .transforms import SkeletonPreNormalize

__all__ = [
    'AnnotationError',
    'PixelNormalize',
    'SkeletonDataset',
    'SkeletonPreNormalize',
    'check_annotations',
    'check_labels',
    'class_label',
    'class_names',
    'joined_datasets',
    'label_names',
    'load_annotations',
    'open_annotations',
    'select_subset',
    'shared_samples',
]
