"""What the page holds: neighbours, likely label errors, joints as small integers, the way to look at them."""

import base64
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
import torch

from ..datasets import class_label
from ..evaluation import nearest_others
from ..evaluation.stick_figures import head_joints, side_of
from ..skeletons import SkeletonLayout
from .clips import EmbeddedClips

#: Frames kept of a clip at most: 2,000 clips of two persons of 25 joints are less than 25 MB.
MAX_FRAMES = 28
_LARGEST = np.iinfo(np.int16).max


def make_content(
    clips: EmbeddedClips, points: np.ndarray, k: int = 5, title: str = '', about: Sequence[Sequence[str]] = ()
) -> Dict[str, Any]:
    """Gathers what a page shows, in values that JSON has.

    Args:
        clips: The clips.
        points: (S, 2), where each is on the map.
        k: Neighbours of each clip, among the others.
        title: Title of the page.
        about: Pairs of a term and its text, which say what is shown.

    Returns:
        ``title``, ``about``, ``k``, ``available``, ``layout``, ``classes``,
        ``splits``, ``suspects`` (numbers of the clips whose k neighbours all
        have one other label, the likeliest first) and ``clips``.

    Raises:
        ValueError: If k exceeds the other clips, or a feature is not finite.
    """
    cosine, index = (found.numpy() for found in nearest_others(torch.from_numpy(clips.features), k))
    correct = judge(clips.labels, index[:, 0])
    splits = list(dict.fromkeys(clips.splits))
    count = int(clips.labels.max()) + 1
    return dict(
        title=title,
        about=[list(pair) for pair in about],
        k=k,
        available=clips.available,
        layout=describe_layout(clips),
        classes=[class_label(label, clips.class_names) for label in range(count)],
        splits=splits,
        suspects=find_suspects(clips.labels, index, cosine),
        clips=[
            dict(
                name=clips.names[row],
                label=int(clips.labels[row]),
                split=splits.index(clips.splits[row]),
                correct=int(correct[row]),
                point=[round(float(value), 3) for value in points[row]],
                neighbors=index[row].tolist(),
                cosines=[round(float(value), 4) for value in cosine[row]],
                **pack_joints(clips.joints[row]),
            )
            for row in range(len(clips.names))
        ],
    )


def judge(labels: np.ndarray, nearest: np.ndarray) -> np.ndarray:
    """Whether the nearest neighbour of each clip has its label: 1, 0, or -1 where one of them has none.

    Example:
        >>> judge(np.array([0, 0, 1, -1]), nearest=np.array([1, 0, 0, 2])).tolist()
        [1, 1, 0, -1]
    """
    known = (labels >= 0) & (labels[nearest] >= 0)
    return np.where(known, labels == labels[nearest], -1)


def find_suspects(labels: np.ndarray, index: np.ndarray, cosine: np.ndarray) -> List[int]:
    """Clips that are likely to be labelled wrongly: their neighbours all have one other label.

    Args:
        labels: (S,), -1 where there is none.
        index: (S, k), the neighbours of each.
        cosine: (S, k), their similarities.

    Returns:
        Their numbers, those with the most similar neighbours first.

    Example:
        >>> labels, index = np.array([1, 0, 0]), np.array([[1, 2], [2, 0], [1, 0]])
        >>> find_suspects(labels, index, cosine=np.ones((3, 2)))
        [0]
    """
    theirs = labels[index]  # (S, k)
    agreed = (theirs == theirs[:, :1]).all(axis=1) & (theirs[:, 0] >= 0)
    found = np.flatnonzero(agreed & (labels >= 0) & (labels != theirs[:, 0]))
    return found[np.argsort(-cosine[found].mean(axis=1), kind='stable')].tolist()


def pack_joints(joints: np.ndarray, max_frames: int = MAX_FRAMES) -> Dict[str, Any]:
    """Thins the frames of a clip evenly and stores its joints as 16-bit integers.

    The first and the last frame are kept; zero, which stands for what is not
    seen, stays zero, and no coordinate moves by more than half a ``step``.

    Args:
        joints: (M, T, V, C).
        max_frames: Frames kept at most.

    Returns:
        ``frames`` of the clip, ``shape`` of what is kept (M, F, V, C), without
        persons who are absent throughout, ``step``, which an integer counts,
        and ``joints``, little-endian integers as base64.

    Example:
        >>> packed = pack_joints(np.full((1, 90, 20, 3), 0.5))
        >>> packed['frames'], packed['shape'], round(packed['step'] * 32767, 3)
        (90, [1, 28, 20, 3], 0.5)
    """
    present = joints.any(axis=(1, 2, 3))
    frames = joints.shape[1]
    thinned = np.linspace(0, frames - 1, min(frames, max_frames)).round().astype(int)
    kept = joints[present if present.any() else [0]][:, thinned].astype(np.float64)
    step = float(np.abs(kept).max()) / _LARGEST or 1.0
    values = np.rint(kept / step).astype('<i2')
    return dict(
        frames=frames,
        shape=list(values.shape),
        step=step,
        joints=base64.b64encode(values.tobytes()).decode('ascii'),
    )


def describe_layout(clips: EmbeddedClips) -> Dict[str, Any]:
    """Bones, sides and the directions from which bodies are seen from the front.

    Returns:
        ``edges``; ``sides`` of the joints, ``'left'``, ``'right'`` or empty;
        ``heads``, joints that are drawn as a disc;
        ``anchors``, joints that lie in the origin and are zero although they
        are seen; and ``axes``, across and up (and towards the viewer, where
        there are three coordinates), rows of a rotation.
    """
    layout = clips.layout
    sides = [side_of(joint, layout).replace('middle', '') for joint in range(layout.num_joints)]
    main = np.concatenate([joints[0] for joints in clips.joints])  # (T of all, V, C)
    flat = main.shape[-1] == 2
    # A picture stays as it was filmed.
    across, up = (0, 1) if flat else facing_axes(main, layout)
    rows = np.eye(main.shape[-1])[[across, up]]
    rows[1] *= _direction(main, layout.spine, up)
    if not flat:
        # Seen from the front, the left of a body is on the right.
        rows[0] *= -_direction(main, layout.shoulders, across)
        rows = np.stack([*rows, np.cross(*rows)])
    return dict(
        edges=[list(edge) for edge in layout.edges],
        sides=sides,
        heads=head_joints(layout),
        anchors=sorted({layout.center, *(layout.origin if len(layout.origin) == 1 else ())}),
        axes=rows.tolist(),
    )


def facing_axes(keypoint: np.ndarray, layout: SkeletonLayout) -> Tuple[int, int]:
    """The coordinates in which bodies are seen from the front.

    Args:
        keypoint: (T, V, C).
        layout: Its layout.

    Returns:
        (across, up): up is where the spine mostly points, across where the
        shoulders do.
    """

    def extent(line: Optional[Tuple], otherwise: np.ndarray) -> np.ndarray:
        if line is None:
            return otherwise
        start, end = (keypoint[:, list(group)].mean(axis=1) for group in line)
        return np.abs(end - start).mean(axis=0)

    width = keypoint.shape[-1]
    up = int(extent(layout.spine, np.eye(width)[1]).argmax())
    shoulders = extent(layout.shoulders, np.ones(width))
    shoulders[up] = -1
    return int(shoulders.argmax()), up


def _direction(keypoint: np.ndarray, line: Any, axis: int) -> float:
    """Whether a line of a layout points along an axis, 1, or against it, -1."""
    if line is None:
        return 1.0
    start, end = (keypoint[:, list(group), axis].mean() for group in line)
    return 1.0 if end >= start else -1.0
