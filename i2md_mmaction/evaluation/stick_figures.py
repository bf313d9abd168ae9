"""Skeletons as stick figures: seen from the front, sides coloured, persons told apart."""

from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import Stroke

from ..skeletons import SkeletonLayout

#: Colours of the sides (Okabe and Ito's), apart also in grey and for the colour-blind.
SIDES = dict(left='#0072B2', right='#E69F00', middle='#333333')
_CORE = Stroke(linewidth=1.5, foreground='white', capstyle='round')
#: How persons are told apart: the first is solid, the second hollow, further ones are dotted and dashed.
_PERSONS = (
    dict(path_effects=[Stroke(linewidth=2.0, capstyle='round')]),
    dict(path_effects=[Stroke(linewidth=3.2, capstyle='round'), _CORE]),
    dict(linewidth=1.6, linestyle=':'),
    dict(linewidth=1.6, linestyle='--'),
)
#: A single body is turned by so much, so that what it does towards the viewer shows, too.
_TURN = np.deg2rad(30)
#: Joints that are drawn as a head.
_HEADS = ('head', 'nose')
_SPARE = 1.1  # room around the figures
#: Inches: the margin of a sheet, and the height of its heading.
MARGIN, HEAD = 0.15, 0.65


def front_view(keypoint: np.ndarray, layout: SkeletonLayout) -> np.ndarray:
    """The plane in which a clip is seen from the front, and a little from the side.

    Up is the coordinate along which the spine mostly points. Two persons stand
    side by side, the first to the left. A body in an image is not turned.

    Args:
        keypoint: (M, T, V, C).
        layout: Its layout.

    Returns:
        (C, 2), what joints are multiplied by to become (across, up).

    Example:
        >>> from i2md_mmaction.skeletons import get_layout
        >>> keypoint = np.zeros((1, 1, 25, 3))
        >>> keypoint[0, 0, [1, 4, 8]] = [[0, 0, 1], [0, 2, 1], [0, 4, 1]]  # spine, left and right shoulder
        >>> front_view(keypoint, get_layout('ntu25')).round(2).tolist()  # z is up
        [[-0.5, 0.0], [-0.87, 0.0], [0.0, 1.0]]
    """
    first, channels = keypoint[0], keypoint.shape[-1]
    first = first[first.any(axis=(1, 2))]
    spine = _direction(first, layout.spine) if layout.spine and len(first) else np.eye(channels)[1]
    axis = 1 if channels == 2 else int(np.abs(spine).argmax())
    up = np.eye(channels)[axis] * (-1 if spine[axis] < 0 else 1)
    if channels == 2:
        return np.stack((np.eye(2)[0], up), axis=1)
    across = _level(_towards_second(keypoint), up)
    turn = 0.0
    if across is None:
        shoulders = _direction(first, layout.shoulders) if layout.shoulders and len(first) else np.zeros(3)
        across, turn = _level(-shoulders, up), _TURN
    if across is None:
        across = np.eye(3)[(axis + 1) % 3]
    across = np.cos(turn) * across + np.sin(turn) * np.cross(across, up)
    return np.stack((across, up), axis=1)


def _direction(person: np.ndarray, line: Tuple) -> np.ndarray:
    """Mean direction (C,) of a line of a layout in the frames of a person (T, V, C)."""
    start, end = (person[:, list(group)].mean(axis=1) for group in line)
    return (end - start).mean(axis=0)


def _towards_second(keypoint: np.ndarray) -> np.ndarray:
    """Mean way (C,) from the first person to the second, where both are seen; zero if they never are."""
    together = keypoint[:2].any(axis=(2, 3)).all(axis=0)
    if len(keypoint) < 2 or not together.any():
        return np.zeros(keypoint.shape[-1])
    first, second = keypoint[:2, together].mean(axis=(1, 2))
    return second - first


def _level(direction: np.ndarray, up: np.ndarray) -> Optional[np.ndarray]:
    """The part of a direction at right angles to ``up``, of unit length; None where there is none."""
    level = direction - (direction @ up) * up
    length = np.linalg.norm(level)
    return level / length if length > 1e-3 else None


def project(keypoint: np.ndarray, layout: SkeletonLayout, like: Optional[np.ndarray] = None) -> np.ndarray:
    """Brings a clip to its front view, its middle to the origin.

    Args:
        keypoint: (M, T, V, C); absent persons and joints are zero.
        layout: Its layout.
        like: (M, T, V, C), the clip that this one is a view of; its front view
            is taken then.

    Returns:
        (M, T, V, 2), NaN where nobody or no joint is seen.
    """
    like = keypoint if like is None else like
    seen = keypoint.any(axis=-1)
    for person in range(min(len(keypoint), len(like))):
        present = like[person].any(axis=(1, 2))
        for joint in {layout.center, *layout.origin} if keypoint.shape[-1] == 3 else ():
            # Zero says absent, but pre-normalisation puts these joints there.
            if not like[person, present, joint].any(axis=-1).all():
                seen[person, :, joint] |= seen[person].any(axis=-1)
    flat = np.where(seen[..., None], keypoint @ front_view(like, layout), np.nan)
    if not seen.any():
        return flat
    # Not the outermost joints: a tracker throws one now and then.
    low, high = np.nanpercentile(flat, (1, 99), axis=(0, 1, 2))
    return flat - (low + high) / 2


class Room(NamedTuple):
    """The room that a figure takes, and how large it is drawn."""

    #: Figures side by side.
    count: int
    #: Inches of paper a unit of the data.
    scale: float
    #: Inches.
    width: float
    height: float


def fit(clips: Sequence[np.ndarray], width: float, height: float, fewest: int = 4, most: int = 10) -> Room:
    """How many figures of all clips fit side by side, on one scale.

    Args:
        clips: (M, T, V, 2) each, from :func:`project`.
        width: Of the row, inches.
        height: Of the row at most, inches.
        fewest: Figures in a row at least; they are drawn smaller if need be.
        most: Figures in a row at most.

    Example:
        >>> square = np.array([[-1.0, -1.0], [1.0, 1.0]]).reshape(1, 1, 2, 2)
        >>> fit([square], width=6.0, height=1.0)
        Room(count=6, scale=0.45..., width=1.0, height=1.0)
    """
    shown = [np.abs(clip) for clip in clips if np.isfinite(clip).any()]
    reach = [np.nanpercentile(clip, 99.9, axis=(0, 1, 2)) for clip in shown] or [np.ones(2)]
    across, up = _SPARE * np.max(reach, axis=0).clip(1e-6)
    across = max(across, 0.35 * up)
    count = int(np.clip(round(width * up / (height * across)), fewest, most))
    scale = min(width / count / (2 * across), height / (2 * up))
    return Room(count, float(scale), width / count, float(2 * up * scale))


def seen_frames(clip: np.ndarray, count: int) -> np.ndarray:
    """Numbers of ``count`` frames (count,), evenly spaced among those in which somebody is seen."""
    seen = np.flatnonzero(np.isfinite(clip).any(axis=(0, 2, 3)))
    seen = seen if len(seen) else np.arange(clip.shape[1])
    return seen[np.linspace(0, len(seen) - 1, count).round().astype(int)]


class Figures:
    """The persons of some frames as bones in an axes, a figure beside the other.

    Args:
        axes: In inches.
        clip: (M, frames, V, 2), from :func:`project`.
        layout: Its layout.
        room: From :func:`fit`.
        corner: Left lower corner of the first figure's room.
    """

    def __init__(
        self,
        axes: Axes,
        clip: np.ndarray,
        layout: SkeletonLayout,
        room: Room,
        corner: Tuple[float, float] = (0.0, 0.0),
    ) -> None:
        self.layout, self.room = layout, room
        self.middles = np.array(
            [(corner[0] + (n + 0.5) * room.width, corner[1] + room.height / 2) for n in range(clip.shape[1])]
        )
        colors = [SIDES[side_of(child, layout)] for child, _ in layout.edges]
        self.heads = head_joints(layout)
        self.persons: List[Tuple[LineCollection, Line2D]] = []
        for person in range(len(clip)):
            style = _PERSONS[person % len(_PERSONS)]
            bones = LineCollection([], colors=colors * clip.shape[1], zorder=3 - 0.1 * person, **style)
            face = SIDES['middle'] if person == 0 else 'white'
            (head,) = axes.plot([], [], 'o', color=SIDES['middle'], mfc=face, ms=4, mew=0.8, zorder=3.05)
            self.persons.append((axes.add_collection(bones, autolim=False), head))
        # Between figures, so that nobody takes a person of one frame for one of the next.
        across, low, high = self.middles[1:, 0] - room.width / 2, corner[1], corner[1] + room.height
        axes.vlines(across, 0.9 * low + 0.1 * high, 0.1 * low + 0.9 * high, color='0.85', lw=0.6, zorder=1.5)
        self.move(clip)

    def move(self, clip: np.ndarray) -> None:
        """Shows other joints (M, frames, V, 2)."""
        placed = clip * self.room.scale + self.middles[:, None]
        for (bones, head), person in zip(self.persons, placed):
            bones.set_segments(person[:, np.array(self.layout.edges)].reshape(-1, 2, 2))
            head.set_data(*person[:, self.heads].reshape(-1, 2).T)


def head_joints(layout: SkeletonLayout) -> List[int]:
    """The joints that are drawn as a head."""
    return [joint for joint, name in enumerate(layout.joints) if name in _HEADS]


def side_of(joint: int, layout: SkeletonLayout) -> str:
    """``'left'``, ``'right'`` or ``'middle'``.

    Example:
        >>> from i2md_mmaction.skeletons import get_layout
        >>> [side_of(joint, get_layout('ntu25')) for joint in (3, 4, 8)]
        ['middle', 'left', 'right']
    """
    sides: Dict[int, str] = {
        joint: side for pair in layout.pairs for joint, side in zip(pair, ('left', 'right'))
    }
    return sides.get(joint, 'middle')


def titled_sheet(
    width: float, height: float, title: str, layout: SkeletonLayout, clips: Sequence[np.ndarray]
) -> Figure:
    """A figure, inches, headed by a title and a legend of the sides, and of persons where several are seen.

    The heading takes :data:`HEAD` inches.
    """
    figure = Figure(figsize=(width, height))
    left = MARGIN / width
    figure.text(left, 1 - 0.12 / height, shorten(title, 90), fontsize=11, va='top')
    handles = legend_handles(layout, clips)
    if handles:
        figure.legend(
            handles=handles,
            loc='upper left',
            bbox_to_anchor=(left, 1 - 0.37 / height),
            ncols=len(handles),
            fontsize=8.5,
            frameon=False,
            handlelength=1.6,
            borderpad=0,
            borderaxespad=0,
        )
    return figure


def legend_handles(layout: SkeletonLayout, clips: Sequence[np.ndarray]) -> List[Line2D]:
    """What says which side is which, and which person where several are seen in clips (M, T, V, 2)."""
    persons = max(int(np.isfinite(clip).any(axis=(1, 2, 3)).sum()) for clip in clips)
    sides = ('left', 'right') if layout.pairs else ()
    handles = [Line2D([], [], color=SIDES[side], lw=2.5, label=f'{side} side') for side in sides]
    for person in range(persons if persons > 1 else 0):
        style = _PERSONS[person % len(_PERSONS)]
        handles.append(Line2D([], [], color=SIDES['middle'], label=f'person {person + 1}', **style))
    return handles


def panel(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """A part of a figure to draw on in inches, without ticks and lines."""
    paper = np.tile(figure.get_size_inches(), 2)
    box = np.array([left, bottom, width, height]) / paper
    axes = figure.add_axes(box, xlim=(0, width), ylim=(0, height))
    axes.set_axis_off()
    return axes


def shorten(text: str, width: int) -> str:
    """A long text without its middle.

    Example:
        >>> shorten('a_very_long_name_of_a_recording_0017', 17)
        'a_very_l…ing_0017'
    """
    half = (width - 1) // 2
    return text if len(text) <= width else f'{text[: width - 1 - half]}…{text[-half:]}'
