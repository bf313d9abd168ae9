"""Whether labels are there, and those of joined data sets one list."""

from itertools import combinations
from typing import Dict, List, Optional

from torch.utils.data import Dataset

from .skeleton_dataset import SkeletonDataset


def joined_datasets(dataset: Dataset) -> List[Dataset]:
    """The data sets behind wrappers such as MMEngine's ``ConcatDataset`` and ``RepeatDataset``."""
    if hasattr(dataset, 'datasets'):
        return [part for joined in dataset.datasets for part in joined_datasets(joined)]
    return joined_datasets(dataset.dataset) if hasattr(dataset, 'dataset') else [dataset]


def check_labels(dataset: Dataset) -> None:
    """Refuses to classify by labels that are not there, or that are no one list.

    Two joined data sets share a list if they are of one file or one ``name``,
    or name their classes alike; they do not clash if ``label_offset`` keeps
    their labels apart.

    Args:
        dataset: A data set whose labels are to be used.

    Raises:
        ValueError: If a sample has no label, or a label would stand for two
            classes; names the files.
    """
    parts = [part for part in joined_datasets(dataset) if isinstance(part, SkeletonDataset)]
    for part in parts:
        if part.unlabelled:
            raise ValueError(
                f'{part.ann_file}, split {part.split!r}: {len(part.unlabelled)} of {len(part)} samples have '
                f'no label, the first {part.unlabelled[0]}; neighbours and classifiers need one for each. '
                'Name a labelled split, or watch pre-training without labels: '
                'val_cfg=dict(type="EmbeddingLoop"), val_evaluator=dict(type="EmbeddingQuality")'
            )
    for first, second in combinations(parts, 2):
        if not (_share_labels(first, second) or _lie_apart(first, second)):
            raise ValueError(
                f'{first.ann_file} and {second.ann_file} are joined, and their labels are lists of their '
                'own: label 0 of the one is not label 0 of the other. To classify them, set `label_offset` '
                'and `num_classes` of their datasets so that labels do not overlap, or the same `name` in '
                'both if they do share their classes'
            )


def label_names(dataset: Dataset) -> Optional[List[str]]:
    """Names of the classes by label, also of data sets that are joined; None where one names none.

    A joined data set's names begin at its ``label_offset``; labels that no data
    set names are called by their number.
    """
    parts = [part for part in joined_datasets(dataset) if isinstance(part, SkeletonDataset)]
    if not parts or not all(part.class_names for part in parts):
        return None
    names: Dict[int, str] = {}
    for part in parts:
        names.update(enumerate(map(str, part.class_names), start=part.label_offset))
    return [names.get(label, str(label)) for label in range(max(names) + 1)]


def shared_samples(first: Dataset, second: Dataset) -> int:
    """How many samples are in both data sets: of the same file, under the same name."""
    files: List[Dict[str, set]] = []
    for dataset in (first, second):
        names: Dict[str, set] = {}
        for part in joined_datasets(dataset):
            if isinstance(part, SkeletonDataset):
                names.setdefault(str(part.ann_file), set()).update(part.names)
        files.append(names)
    return sum(len(names & files[1].get(file, set())) for file, names in files[0].items())


def _share_labels(first: SkeletonDataset, second: SkeletonDataset) -> bool:
    same = (
        first.ann_file == second.ann_file
        or (first.name is not None and first.name == second.name)
        or (first.class_names is not None and list(first.class_names) == list(second.class_names or ()))
    )
    return same and first.label_offset == second.label_offset


def _lie_apart(first: SkeletonDataset, second: SkeletonDataset) -> bool:
    low, high = sorted((first, second), key=lambda part: part.label_offset)
    return bool(low.num_classes) and low.label_offset + low.num_classes <= high.label_offset
