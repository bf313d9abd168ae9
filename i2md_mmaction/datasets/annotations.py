"""Checks of a skeleton annotation file: what is wrong, where, and what to do.

The checks name; they never edit.
"""

import pickle
from collections import Counter
from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np

from ..io import load_pickle
from ..skeletons import SkeletonLayout
from .packed import PackedAnnotations, keypoint_problem, read_packed


class AnnotationError(ValueError):
    """An annotation file that must not be trained on."""


def load_annotations(path: Union[str, Path]) -> Dict:
    """Loads annotations in mmaction2's skeleton format.

    Args:
        path: A pickle of ``{'split': ..., 'annotations': [...]}`` or of the
            bare list, read without running any code in it, or a folder in
            the packed form of :mod:`.packed`.

    Returns:
        Dict with ``split`` (name -> sample names, empty for a bare list) and
        ``annotations``.

    Raises:
        AnnotationError: If the file is absent or is not such a file.
    """
    path = Path(path)
    if path.is_dir():
        return read_packed(path)
    if not path.exists():
        raise AnnotationError(
            f'annotation file {path} does not exist; set the environment variable I2MD_DATA to its folder, '
            'or make it as docs/data.md says'
        )
    try:
        content = load_pickle(path)
    except pickle.UnpicklingError as error:
        raise AnnotationError(f"{error}; expected a pickle in mmaction2's skeleton format") from error
    if isinstance(content, (list, tuple)):
        content = dict(split={}, annotations=list(content))
    if not isinstance(content, dict) or 'annotations' not in content:
        raise AnnotationError(
            f"{path} holds a {type(content).__name__} without 'annotations'; expected mmaction2's skeleton "
            "format {'split': {...}, 'annotations': [...]}"
        )
    return content


def sample_name(annotation: Dict) -> str:
    """The name by which splits refer to a sample."""
    return annotation.get('filename', annotation.get('frame_dir'))


def sample_label(annotation: Dict) -> int:
    """The label of a sample; -1, as mmaction2's clip inference writes it, where it has none."""
    label = annotation.get('label')
    return -1 if label is None else label


def sample_names(annotations: Sequence[Dict]) -> List[Optional[str]]:
    """The name of each sample."""
    if isinstance(annotations, PackedAnnotations):
        return annotations.names()
    return [sample_name(annotation) for annotation in annotations]


def take_samples(annotations: Sequence[Dict], places: Sequence[int]) -> Sequence[Dict]:
    """The annotations at some places; packed ones stay packed."""
    if isinstance(annotations, PackedAnnotations):
        return annotations.take(places)
    return [annotations[place] for place in places]


def select_split(content: Dict, split: Optional[str], path: Union[str, Path]) -> Sequence[Dict]:
    """The annotations of one split, in the file's order.

    Raises:
        AnnotationError: If the split is unknown, or names a sample that the
            file does not hold, or a name stands twice.
    """
    annotations = content['annotations']
    if split is None:
        return annotations
    splits = content.get('split', {})
    if split not in splits:
        raise AnnotationError(
            f'{path} has no split {split!r}; it has {sorted(splits)}. Set `split` to one of them'
        )
    wanted, names = set(splits[split]), sample_names(annotations)
    counts = Counter(names)
    absent = sorted(wanted - set(counts))
    if absent:
        raise AnnotationError(
            f'{path}: split {split!r} names {len(absent)} samples that the file does not hold, the first '
            f'{absent[:3]}; make the file anew or take them out of the split'
        )
    doubled = sorted(name for name in wanted if counts[name] > 1)
    if doubled:
        raise AnnotationError(
            f'{path}: {len(doubled)} names of split {split!r} stand twice, the first {doubled[:3]}'
        )
    return take_samples(annotations, [place for place, name in enumerate(names) if name in wanted])


def find_problem(
    annotation: Dict,
    layout: SkeletonLayout,
    num_persons: int,
    num_classes: Optional[int],
    look: Callable[[np.ndarray], Optional[str]] = keypoint_problem,
) -> Optional[Tuple[str, str]]:
    """The first thing wrong with a sample.

    Args:
        annotation: One sample with ``keypoint`` (M, T, V, C) and, optionally,
            ``total_frames`` and ``label``; -1 is no label.
        layout: The layout that the model is built for.
        num_persons: Persons that the model takes.
        num_classes: Classes that the labels count from 0; None if unknown.
        look: Says what is wrong with the values of keypoints.

    Returns:
        (what is wrong with which field, what to do), or None.
    """
    if 'keypoint' not in annotation:
        return 'keypoint: missing', 'make the file anew'
    keypoint = np.asarray(annotation['keypoint'])
    if keypoint.ndim != 4:
        return f'keypoint: shape {keypoint.shape}', 'store (persons, frames, joints, coordinates)'
    persons, frames, joints, _ = keypoint.shape
    if joints != layout.num_joints:
        return (
            f'keypoint: {joints} joints where layout {layout.name!r} has {layout.num_joints}',
            'set `layout` in the config to that of the data',
        )
    if persons > num_persons:
        return (
            f'keypoint: {persons} persons where the model takes {num_persons}',
            'raise `num_persons` or keep the main persons when making the file',
        )
    if frames == 0 or persons == 0:
        return f'keypoint: {frames} frames of {persons} persons', 'drop the sample (`drop_invalid=True`)'
    if annotation.get('total_frames', frames) != frames:
        return f'total_frames: {annotation["total_frames"]} where keypoint has {frames}', 'make the file anew'
    problem = look(keypoint)
    if problem:
        return f'keypoint: {problem}', 'repair or drop the sample (`drop_invalid=True`)'
    label = sample_label(annotation)
    if not isinstance(label, (int, np.integer)):
        return f'label: {label!r} is no whole number', 'make the file anew'
    if label < -1 or (num_classes is not None and label >= num_classes):
        known = 'the classes, counted from 0' if num_classes is None else f'0 to {num_classes - 1}'
        return (
            f'label: {label} outside {known}',
            'set `num_classes` to that of the data or make the file anew; -1 is no label',
        )
    return None


def check_annotations(
    annotations: Sequence[Dict],
    layout: SkeletonLayout,
    num_persons: int,
    num_classes: Optional[int] = None,
) -> Dict[int, Tuple[str, str]]:
    """All samples that must not be trained on.

    Frames are read here, but for packed annotations: what was wrong with
    their values was found when they were packed.

    Returns:
        Place in the list -> (what is wrong, what to do); empty for a sound file.
    """
    problems = {}
    packed = isinstance(annotations, PackedAnnotations)
    for index, annotation in enumerate(annotations):
        look = (lambda _, index=index: annotations.keypoint_problem(index)) if packed else keypoint_problem
        problem = find_problem(annotation, layout, num_persons, num_classes, look)
        if problem:
            problems[index] = problem
    return problems
