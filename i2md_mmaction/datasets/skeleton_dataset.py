"""mmaction2's ``PoseDataset`` that refuses what must not be trained on."""

from pathlib import Path
from typing import Dict, List, Optional, Sequence

from mmaction.datasets import PoseDataset
from mmaction.registry import DATASETS, TRANSFORMS
from mmengine.logging import MMLogger

from ..parts import fill_in
from ..skeletons import get_layout
from .annotations import (
    AnnotationError,
    Expected,
    check_annotations,
    load_annotations,
    sample_label,
    sample_labels,
    sample_name,
    sample_names,
    select_split,
    take_samples,
)
from .packed import MAX_COORDINATE, PackedAnnotations
from .subsets import describe_subset, select_subset


@DATASETS.register_module()
class SkeletonDataset(PoseDataset):
    """Skeleton sequences in mmaction2's format, checked before the first step.

    A sample without a label, or with -1, pre-trains like any other; what needs
    labels asks for them (:func:`.labels.check_labels`).

    Args:
        ann_file: Annotation file, see :func:`.annotations.load_annotations`.
        pipeline: Transforms of one sample.
        split: Name of the split; None takes every sample.
        name: What results call the data set, such as ``'ntu60'``; the papers'
            numbers are found by it. Data sets of one name share their labels.
        layout: Name of the skeleton layout. The transforms that need to know
            it take it from here.
        num_persons: Persons that the model takes.
        num_classes: If given, labels must lie below it.
        num_coordinates: Coordinates C of a joint: 3, or 2 for joints in images.
        max_coordinate: Coordinates beyond it, in absolute value, are refused as
            no body's, in metres, millimetres or pixels.
        label_offset: Added to each label, so that data sets with labels of
            their own can be joined (``ConcatDataset``) and classified.
        drop_invalid: Leaves samples out that fail the check, and logs how many
            and why, where the default refuses the file.
        subset: Trains on a part of the labels only: arguments of
            :func:`.subsets.select_subset`, ``dict(fraction=0.01,
            balance='uniform', seed=0)``. What was drawn stands in
            ``subset_record``, which
            :class:`~i2md_mmaction.engine.SubsetRecordHook` saves with the run.
        **kwargs: As for ``PoseDataset``.

    Raises:
        AnnotationError: If the file, a split or a sample must not be trained
            on; the message names file, sample, field and remedy.

    Example:
        >>> import pickle
        >>> import tempfile
        >>> import numpy as np
        >>> sample = dict(frame_dir='wave_1', label=0, keypoint=np.ones((1, 9, 25, 3)))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder, 'mine.pkl')
        ...     _ = file.write_bytes(pickle.dumps(dict(split=dict(train=['wave_1']), annotations=[sample])))
        ...     dataset = SkeletonDataset(str(file), pipeline=[], split='train', label_offset=60)
        >>> len(dataset), dataset[0]['keypoint'].shape, dataset[0]['label']
        (1, (1, 9, 25, 3), 60)
    """

    def __init__(
        self,
        ann_file: str,
        pipeline: List,
        split: Optional[str] = None,
        name: Optional[str] = None,
        layout: str = 'ntu25',
        num_persons: int = 2,
        num_classes: Optional[int] = None,
        num_coordinates: int = 3,
        max_coordinate: float = MAX_COORDINATE,
        label_offset: int = 0,
        drop_invalid: bool = False,
        subset: Optional[Dict] = None,
        **kwargs,
    ) -> None:
        self.name = name
        self.label_offset = label_offset
        self.class_names: Optional[List[str]] = None
        self.names: List[str] = []
        self.unlabelled: List[str] = []
        self.layout = get_layout(layout)
        self.num_persons = num_persons
        self.expected = Expected(self.layout, num_persons, num_classes, num_coordinates, max_coordinate)
        self.drop_invalid = drop_invalid
        self.subset = subset
        self.subset_record: Optional[Dict] = None
        # Memory-mapped frames stay where they are; MMEngine would pickle them into memory.
        kwargs.setdefault('serialize_data', not Path(ann_file).is_dir())
        pipeline = [
            fill_in(step, TRANSFORMS, layout=layout) if isinstance(step, dict) else step for step in pipeline
        ]
        super().__init__(ann_file, pipeline, split=split, num_classes=num_classes, **kwargs)

    def load_data_list(self) -> Sequence[Dict]:
        """Loads the split and checks every sample of it."""
        content = load_annotations(self.ann_file)
        self.class_names = content.get('class_names')
        annotations = select_split(content, self.split, self.ann_file)
        problems = check_annotations(annotations, self.expected)
        if problems:
            lines = [
                f'  {sample_name(annotations[index]) or f"number {index}"}: {what}; {remedy}'
                for index, (what, remedy) in list(problems.items())[:5]
            ]
            summary = (
                f'{self.ann_file}: {len(problems)} of {len(annotations)} samples cannot be used, the first:\n'
                + '\n'.join(lines)
            )
            if not self.drop_invalid:
                raise AnnotationError(summary)
            MMLogger.get_current_instance().warning(f'{summary}\nThey are left out.')
            sound = [index for index in range(len(annotations)) if index not in problems]
            annotations = take_samples(annotations, sound)
        if not annotations:
            raise AnnotationError(f'{self.ann_file}: split {self.split!r} is empty; choose another')
        self.names, labels = sample_names(annotations), sample_labels(annotations)
        self.unlabelled = [name for name, label in zip(self.names, labels) if label == -1]
        if self.subset is not None:
            annotations = self._draw_subset(annotations, labels)
        if isinstance(annotations, PackedAnnotations) and not self.serialize_data:
            return annotations  # each made when asked for; to a worker go the path and the places
        return [dict(annotation) for annotation in annotations]

    def get_data_info(self, idx: int) -> Dict:
        """The annotation of that number, its label in the list of all joined data sets, -1 for none."""
        info = super().get_data_info(idx)
        label = sample_label(info)
        info['label'] = label if label == -1 else label + self.label_offset
        return info

    def get_cat_ids(self, idx: int) -> List[int]:
        """The class of a sample, by which MMEngine's ``ClassBalancedDataset`` repeats samples.

        Raises:
            AnnotationError: If the sample has no label.
        """
        label = self.get_data_info(idx)['label']
        if label == -1:
            raise AnnotationError(
                f'{self.ann_file}: sample {self.unlabelled[0]} has no label; classes can be balanced only '
                'where every sample has one'
            )
        return [label]

    def _draw_subset(self, annotations: Sequence[Dict], labels: Sequence[int]) -> Sequence[Dict]:
        """The labelled part of the split, and a record of it."""
        if self.unlabelled:
            raise AnnotationError(
                f'{self.ann_file}: {len(self.unlabelled)} samples have no label, the first '
                f'{self.unlabelled[0]}; a subset is drawn among labelled samples only'
            )
        places = select_subset(labels, **self.subset)
        self.names = [self.names[place] for place in places]
        drawn = [labels[place] for place in places]
        self.subset_record = describe_subset(self.names, drawn, dict(self.subset))
        return take_samples(annotations, places)
