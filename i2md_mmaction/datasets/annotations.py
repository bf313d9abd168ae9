"""Checks of a skeleton annotation file: what is wrong, where, and what to do.

The checks name; they never edit.
"""

import pickle
import reprlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np

from ..io import load_pickle
from ..skeletons import SkeletonLayout
from .packed import MAX_COORDINATE, PackedAnnotations, keypoint_problem, read_packed

#: What is wrong with which field of a sample, and what to do.
Problem = Tuple[str, str]
_STORE = 'store an array of floats (persons, frames, joints, coordinates)'


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
        try:
            return read_packed(path)
        except (OSError, ValueError) as error:
            raise AnnotationError(str(error)) from error
    if not path.exists():
        raise AnnotationError(
            f'annotation file {path} does not exist; set the environment variable I2MD_DATA to its folder, '
            'or make it as docs/data.md says'
        )
    try:
        content = load_pickle(path)
    except pickle.UnpicklingError as error:
        raise AnnotationError(f"{error}; expected a pickle in mmaction2's skeleton format") from error
    return check_content(content, path)


def check_content(content: Any, path: Union[str, Path]) -> Dict:
    """Refuses what has not the form ``{'split': {name: [sample, ...]}, 'annotations': [{...}, ...]}``.

    Args:
        content: Such a dictionary, or the bare list of annotations.
        path: What errors call it.

    Returns:
        The dictionary, with ``split``.

    Raises:
        AnnotationError: If it is anything else.
    """
    if isinstance(content, (list, tuple)):
        content = dict(split={}, annotations=list(content))
    expected = "expected mmaction2's skeleton format {'split': {...}, 'annotations': [...]}"
    if not isinstance(content, dict) or 'annotations' not in content:
        raise AnnotationError(f"{path} holds a {type(content).__name__} without 'annotations'; {expected}")
    content = {'split': {}, **content}
    annotations, splits = content['annotations'], content['split']
    if not isinstance(annotations, (list, tuple, PackedAnnotations)):
        raise AnnotationError(f"{path}: 'annotations' is a {type(annotations).__name__}; {expected}")
    for index, annotation in enumerate(annotations):
        if not isinstance(annotation, dict):
            raise AnnotationError(
                f'{path}: annotation {index} is a {type(annotation).__name__}, expected a dict; '
                'make the file anew'
            )
        name = sample_name(annotation)
        if name is not None and not isinstance(name, str):
            raise AnnotationError(
                f'{path}: annotation {index} has a {type(name).__name__} as its name (`frame_dir`), expected '
                'text; make the file anew'
            )
    if not isinstance(splits, dict):
        raise AnnotationError(f"{path}: 'split' is a {type(splits).__name__}; {expected}")
    for name, members in splits.items():
        texts = isinstance(members, (list, tuple, set)) and all(isinstance(item, str) for item in members)
        if not (texts and isinstance(name, str)):
            raise AnnotationError(
                f'{path}: split {_brief(name)} is no list of names of samples; make the file anew'
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


def sample_labels(annotations: Sequence[Dict]) -> List[int]:
    """The label of each sample, as :func:`sample_label` has it."""
    if isinstance(annotations, PackedAnnotations):
        return [-1 if label is None else int(label) for label in annotations.column('label')]
    return [int(sample_label(annotation)) for annotation in annotations]


def take_samples(annotations: Sequence[Dict], places: Sequence[int]) -> Sequence[Dict]:
    """The annotations at some places; packed ones stay packed."""
    if isinstance(annotations, PackedAnnotations):
        return annotations.take(places)
    return [annotations[place] for place in places]


@dataclass(frozen=True)
class Expected:
    """What the samples of a data set are expected to be.

    Args:
        layout: The layout that the model is built for.
        num_persons: Persons M that the model takes.
        num_classes: Classes that the labels count from 0; None if unknown.
        num_coordinates: Coordinates C of a joint; None if unknown.
        max_coordinate: Values beyond it are no body's, in metres, millimetres
            or pixels.
    """

    layout: SkeletonLayout
    num_persons: int = 2
    num_classes: Optional[int] = None
    num_coordinates: Optional[int] = None
    max_coordinate: float = MAX_COORDINATE


def find_problem(
    annotation: Dict, expected: Expected, noted: Optional[Callable[[], Optional[str]]] = None
) -> Optional[Problem]:
    """The first thing wrong with a sample.

    Args:
        annotation: One sample with ``keypoint`` (M, T, V, C) and, optionally,
            ``total_frames`` and ``label``; -1 is no label.
        expected: What it is expected to be.
        noted: Says what is known to be wrong with the values of its keypoints;
            they are read by default.

    Returns:
        (what is wrong with which field, what to do), or None.
    """
    if 'keypoint' not in annotation:
        return 'keypoint: missing', 'make the file anew'
    keypoint = annotation['keypoint']
    problem = _form_problem(keypoint) or _shape_problem(keypoint.shape, expected)
    if problem:
        return problem
    frames = annotation.get('total_frames', keypoint.shape[1])
    if not _is_whole(frames) or frames != keypoint.shape[1]:
        what = f'total_frames: {_brief(frames)} where keypoint has {keypoint.shape[1]}'
        return what, 'make the file anew'
    what = noted() if noted else keypoint_problem(keypoint, expected.max_coordinate)
    if what:
        return f'keypoint: {what}', 'repair or drop the sample (`drop_invalid=True`)'
    return _label_problem(sample_label(annotation), expected.num_classes)


def _form_problem(keypoint: Any) -> Optional[Problem]:
    """What is wrong with keypoints that are no array of real numbers."""
    if not isinstance(keypoint, np.ndarray):
        return f'keypoint: a {type(keypoint).__name__} where an array is expected', _STORE
    if keypoint.dtype.kind not in 'fiu':
        return f'keypoint: an array of {_brief(str(keypoint.dtype))} where real numbers are expected', _STORE
    if keypoint.ndim != 4:
        return f'keypoint: shape {keypoint.shape}', _STORE
    return None


def _shape_problem(shape: Tuple[int, ...], expected: Expected) -> Optional[Problem]:
    """What is wrong with the shape (M, T, V, C) of keypoints."""
    persons, frames, joints, coordinates = shape
    layout = expected.layout
    if joints != layout.num_joints:
        return (
            f'keypoint: {joints} joints where layout {layout.name!r} has {layout.num_joints}',
            'set `layout` in the config to that of the data',
        )
    if expected.num_coordinates not in (None, coordinates):
        return (
            f'keypoint: {coordinates} coordinates where {expected.num_coordinates} are expected',
            'set `num_coordinates` of data set and model to that of the data',
        )
    if persons > expected.num_persons:
        return (
            f'keypoint: {persons} persons where the model takes {expected.num_persons}',
            'raise `num_persons` or keep the main persons when making the file',
        )
    if frames == 0 or persons == 0:
        return f'keypoint: {frames} frames of {persons} persons', 'drop the sample (`drop_invalid=True`)'
    return None


def _label_problem(label: Any, num_classes: Optional[int]) -> Optional[Problem]:
    """What is wrong with a label."""
    if not _is_whole(label):
        return f'label: {_brief(label)} is no whole number', 'make the file anew'
    if label < -1 or (num_classes is not None and label >= num_classes):
        known = 'the classes, counted from 0' if num_classes is None else f'0 to {num_classes - 1}'
        return (
            f'label: {_brief(label)} outside {known}',
            'set `num_classes` to that of the data or make the file anew; -1 is no label',
        )
    return None


def _is_whole(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _brief(value: Any) -> str:
    """A value in a few words, however large or nested it is."""
    text = reprlib.repr(value)
    return text if len(text) <= 60 else f'{text[:57]}...'


def check_annotations(annotations: Sequence[Dict], expected: Expected) -> Dict[int, Problem]:
    """All samples that must not be trained on.

    Frames are read here, but for packed annotations: what was wrong with
    their values was found when they were packed.

    Returns:
        Place in the list -> (what is wrong, what to do); empty for a sound file.
    """
    problems = {}
    packed = isinstance(annotations, PackedAnnotations)
    for index, annotation in enumerate(annotations):
        noted = partial(annotations.keypoint_problem, index, expected.max_coordinate) if packed else None
        problem = find_problem(annotation, expected, noted)
        if problem:
            problems[index] = problem
    return problems
