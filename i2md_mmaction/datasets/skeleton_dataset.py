"""mmaction2's ``PoseDataset`` that refuses what must not be trained on."""

from typing import Dict, List, Optional, Sequence

from mmaction.datasets import PoseDataset
from mmaction.registry import DATASETS, TRANSFORMS
from mmengine.logging import MMLogger

from ..parts import fill_in
from ..skeletons import get_layout
from .annotation_file import AnnotationFile, open_annotations
from .annotations import (
    AnnotationError,
    Expected,
    sample_label,
    sample_labels,
    sample_name,
    sample_names,
    take_samples,
)
from .packed import MAX_COORDINATE, PackedAnnotations
from .subsets import describe_subset, select_subset
from .transforms import SkeletonPreNormalize


@DATASETS.register_module()
class SkeletonDataset(PoseDataset):
    """Skeleton sequences in mmaction2's format, checked before the first step.

    A sample without a label, or with -1, pre-trains like any other; what needs
    labels asks for them (:func:`.labels.check_labels`).

    A file that notes that it was pre-normalised when it was made, as the
    converter's do, goes through :class:`SkeletonPreNormalize` no second time.

    Args:
        ann_file: Annotation file, see :func:`.annotations.load_annotations`.
            Data sets of one process that name the same file share it in memory
            (:func:`.annotation_file.open_annotations`).
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
        >>> from pathlib import Path
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
        self._file: Optional[AnnotationFile] = None
        # MMEngine would pickle all frames into a copy for each data set; workers share these as they are.
        kwargs.setdefault('serialize_data', False)
        pipeline = [
            fill_in(step, TRANSFORMS, layout=layout) if isinstance(step, dict) else step for step in pipeline
        ]
        super().__init__(ann_file, pipeline, split=split, num_classes=num_classes, **kwargs)

    def open_file(self) -> AnnotationFile:
        """Opens the annotation file."""
        return open_annotations(self.ann_file)

    def load_data_list(self) -> Sequence[Dict]:
        """Loads the split and checks every sample of it."""
        # Held, so that the other data sets of the run find it open.
        self._file = file = self.open_file()
        self.class_names = file.content.get('class_names')
        if 'prenormalized' in file.content:
            self._skip_prenormalization(file.content['prenormalized'])
        places = file.select(self.split)
        problems = file.problems(places, self.expected)
        if problems:
            lines = [
                f'  {sample_name(file.annotations[place]) or f"number {place}"}: {what}; {remedy}'
                for place, (what, remedy) in list(problems.items())[:5]
            ]
            summary = (
                f'{self.ann_file}: {len(problems)} of {len(places)} samples cannot be used, the first:\n'
                + '\n'.join(lines)
            )
            if not self.drop_invalid:
                raise AnnotationError(summary)
            MMLogger.get_current_instance().warning(f'{summary}\nThey are left out.')
            places = [place for place in places if place not in problems]
        annotations = take_samples(file.annotations, places)
        if not annotations:
            raise AnnotationError(f'{self.ann_file}: split {self.split!r} is empty; choose another')
        self.names, labels = sample_names(annotations), sample_labels(annotations)
        self.unlabelled = [name for name, label in zip(self.names, labels) if label == -1]
        if self.subset is not None:
            annotations = self._draw_subset(annotations, labels)
        if isinstance(annotations, PackedAnnotations) and not self.serialize_data:
            return annotations  # each made when asked for; to a worker go the path and the places
        return [dict(annotation) for annotation in annotations]

    def _skip_prenormalization(self, noted: Dict) -> None:
        """Leaves the step out of the pipeline that the frames of the file have been through already."""
        if not isinstance(noted, dict):
            raise AnnotationError(f"{self.ann_file}: 'prenormalized' is no dictionary; make the file anew")
        noted = {'scale_body': False, **noted}
        steps = [step for step in self.pipeline.transforms if isinstance(step, SkeletonPreNormalize)]
        for step in steps:
            if step.settings != noted:
                raise AnnotationError(
                    f'{self.ann_file} was pre-normalised when it was made, by {noted}; the pipeline asks for '
                    f'{step.settings}. Make the file anew without it, or take SkeletonPreNormalize out of '
                    'the pipeline to train on the frames as they are'
                )
            self.pipeline.transforms.remove(step)
            MMLogger.get_current_instance().info(f'{self.ann_file} is pre-normalised: {step} is left out')

    def __getstate__(self) -> Dict:
        """The state without the file, so that only its own samples go to a worker that is not forked."""
        return {**self.__dict__, '_file': None}

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
