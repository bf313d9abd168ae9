"""From what a user has, arrays, annotations or a file, to a data set."""

from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np
import torch
from mmaction.registry import DATASETS

from ..datasets import AnnotationError, SkeletonDataset, open_annotations
from ..datasets.annotation_file import AnnotationFile
from ..datasets.annotations import check_content, take_samples

#: Skeletons: joints (M, T, V, C) or (T, V, C), an annotation, a list of these, an annotation file's
#: content, or its path.
Clips = Union[np.ndarray, torch.Tensor, Mapping, Sequence, str, Path, AnnotationFile]
#: What errors call clips that come from no file.
GIVEN = 'the given clips'


@DATASETS.register_module()
class GivenSkeletons(SkeletonDataset):
    """A data set of clips at hand instead of a file.

    Args:
        file: The clips, as :func:`open_clips` opens them.
        **kwargs: As for :class:`SkeletonDataset`.

    Raises:
        AnnotationError: As for :class:`SkeletonDataset`.

    Example:
        >>> clips = open_clips(np.random.default_rng(0).normal(size=(9, 25, 3)).astype('float32'))
        >>> GivenSkeletons(clips, pipeline=[], layout='ntu25', num_persons=2)[0]['keypoint'].shape
        (1, 9, 25, 3)
    """

    def __init__(self, file: AnnotationFile, **kwargs) -> None:
        self.given: Optional[AnnotationFile] = file
        super().__init__(str(file.path), **kwargs)

    def open_file(self) -> AnnotationFile:
        """The clips; they are held where those of a file are, which do not go to a worker."""
        file, self.given = self.given, None
        return file

    def filter_data(self) -> Sequence[Dict]:
        """All clips; ``PoseDataset`` would write a line to the log for every call."""
        return self.data_list


def open_clips(data: Clips) -> AnnotationFile:
    """Opens clips as an annotation file, unchecked.

    Args:
        data: Joints (M, T, V, C), or (T, V, C) of one person, as an array or a
            tensor; an annotation, a dictionary with ``keypoint``; a list of
            these; or a whole annotation file, as its content, its pickle, its
            packed folder, or open. Clips without a name are ``clip_0``, ``clip_1``, ...

    Raises:
        AnnotationError: If it is none of these.

    Example:
        >>> open_clips([np.ones((9, 25, 3)), np.ones((2, 7, 25, 3))]).annotations[1]['frame_dir']
        'clip_1'
    """
    if isinstance(data, AnnotationFile):
        return data
    if isinstance(data, (str, Path)):
        return open_annotations(data)
    if isinstance(data, Mapping) and 'annotations' in data:
        return AnnotationFile(GIVEN, content=check_content(dict(data), GIVEN))
    clips = list(data) if isinstance(data, Sequence) else [data]
    if not clips:
        raise AnnotationError('no clip is given')
    return AnnotationFile(GIVEN, content=[_annotation(clip, number) for number, clip in enumerate(clips)])


def _annotation(clip: Any, number: int) -> Dict:
    """A clip as an annotation."""
    if isinstance(clip, torch.Tensor):
        clip = clip.detach().cpu().numpy()
    if isinstance(clip, np.ndarray) and clip.ndim in (3, 4):
        clip = dict(keypoint=clip if clip.ndim == 4 else clip[None])
    if not isinstance(clip, Mapping) or 'keypoint' not in clip:
        found = f'shape {clip.shape}' if isinstance(clip, np.ndarray) else f'a {type(clip).__name__}'
        raise AnnotationError(
            f'clip {number}: {found} where joints (persons, frames, joints, coordinates) or (frames, joints, '
            'coordinates) are expected, or an annotation with `keypoint`; several clips are a list of these'
        )
    return {'frame_dir': f'clip_{number}', **clip}


def cut_windows(
    file: AnnotationFile, split: Optional[str], window: int, stride: int
) -> Tuple[AnnotationFile, np.ndarray]:
    """Cuts the recordings of a split into windows, each a clip of its own.

    The last window of a recording ends with its last frame, and a recording
    shorter than a window is one. Windows in which nobody is seen are left out.

    Args:
        file: From :func:`open_clips`, its samples checked.
        split: Name of the split; None for all.
        window: Frames of a window.
        stride: Frames from the start of one window to that of the next.

    Returns:
        The windows, and the first and the last frame of each (W, 2).

    Raises:
        ValueError: If window or stride is not positive.
    """
    if window < 1 or stride < 1:
        raise ValueError(f'window={window}, stride={stride}: both count frames, from 1 on')
    windows: List[Dict] = []
    frames: List[Tuple[int, int]] = []
    for annotation in take_samples(file.annotations, file.select(split)):
        for start, stop in spans(annotation['keypoint'].shape[1], window, stride):
            piece = dict(annotation, total_frames=stop - start)
            for field in ('keypoint', 'keypoint_score'):
                if field in piece:
                    piece[field] = piece[field][:, start:stop]
            if piece['keypoint'].any():
                windows.append(piece)
                frames.append((start, stop - 1))
    content = {**file.content, 'split': {}, 'annotations': windows}
    return AnnotationFile(file.path, content=content), np.array(frames)


def spans(length: int, window: int, stride: int) -> Iterator[Tuple[int, int]]:
    """First frame and end of the windows of a recording.

    Example:
        >>> list(spans(10, window=4, stride=4)), list(spans(3, window=4, stride=1))
        ([(0, 4), (4, 8), (6, 10)], [(0, 3)])
    """
    last = max(length - window, 0)
    for start in range(0, last, stride):
        yield start, start + window
    yield last, length
