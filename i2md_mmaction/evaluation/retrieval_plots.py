"""A clip and its nearest neighbours as one picture, at rest or moving."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import List, Optional, Sequence, Union

import numpy as np
from matplotlib.animation import FFMpegWriter, PillowWriter
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from ..io import write_file
from ..skeletons import SkeletonLayout, get_layout
from .plots import save_figure
from .stick_figures import HEAD, MARGIN, Figures, fit, panel, project, seen_frames, shorten, titled_sheet

#: Suffixes of moving pictures, and what writes them.
_MOVING = {'.gif': PillowWriter, '.mp4': FFMpegWriter}
#: Suffixes of pictures at rest.
_STILL = ('.png', '.jpg', '.svg', '.pdf')
# Inches: a sheet, what is between frames, the text beside a strip.
_WIDTH, _GAP, _TEXT = 9.0, 0.1, 2.2
_DPI = 130
#: Frames of a moving picture, and how many are shown in a second.
_FRAMES, _FPS = 48, 16
#: Frames of right and wrong neighbours: apart by colour, by width and by dashes.
_RIGHT = dict(edgecolor='#00795A', linewidth=2.2, linestyle='-')
_WRONG = dict(edgecolor='#B5483A', linewidth=1.2, linestyle=(0, (4, 3)))


@dataclass(frozen=True)
class RetrievedClip:
    """A clip that was asked with, or found.

    Args:
        name: Its name.
        keypoint: (M, T, V, C), as pre-normalised for the encoder.
        label: Its label, -1 for none.
        class_name: What the label is called; empty for none.
        similarity: Its cosine to the query; None for the query itself.
    """

    name: str
    keypoint: np.ndarray
    label: int = -1
    class_name: str = ''
    similarity: Optional[float] = None

    def agrees(self, other: 'RetrievedClip') -> Optional[bool]:
        """Whether both have the same label; None if one has none."""
        return None if -1 in (self.label, other.label) else self.label == other.label


def check_picture(path: Union[str, Path]) -> Path:
    """Refuses the name of a picture that cannot be drawn, before any work is done.

    Raises:
        ValueError: If its suffix names no known kind, or ffmpeg is needed and
            absent.

    Example:
        >>> check_picture('found.bmp')
        Traceback (most recent call last):
        ...
        ValueError: found.bmp: draw to .png, .jpg, .svg, .pdf, .gif, .mp4
    """
    path = Path(path)
    if path.suffix not in (*_STILL, *_MOVING):
        raise ValueError(f'{path}: draw to {", ".join((*_STILL, *_MOVING))}')
    if path.suffix in _MOVING and not _MOVING[path.suffix].isAvailable():
        raise ValueError(f'{path}: films need the program ffmpeg, which is not installed; draw to .gif')
    return path


def plot_retrieval(
    query: RetrievedClip,
    neighbors: Sequence[RetrievedClip],
    layout: str,
    path: Union[str, Path],
    title: str = 'Nearest clips',
) -> Path:
    """Draws a clip, and under it its nearest neighbours, each with name, class and cosine.

    A neighbour of the query's class has a solid green frame and a tick, one of
    another class a dashed red one and a cross; without labels there is neither.

    Args:
        query: The clip that was asked with.
        neighbors: What was found, the nearest first.
        layout: Name of the skeleton layout.
        path: Picture to write: ``.png``, ``.jpg``, ``.svg`` or ``.pdf``, or an
            animation in which all move together, ``.gif`` or ``.mp4``.
        title: Title of the picture.

    Raises:
        ValueError: As for :func:`check_picture`.
    """
    path = check_picture(path)
    if path.suffix in _STILL:
        return save_figure(draw_retrieval(query, neighbors, layout, title), path, dpi=_DPI)
    return _Animation(query, neighbors, get_layout(layout), title).write(path)


def draw_retrieval(
    query: RetrievedClip, neighbors: Sequence[RetrievedClip], layout: str, title: str = 'Nearest clips'
) -> Figure:
    """The figure of :func:`plot_retrieval`, an axes for each clip."""
    table, rows = get_layout(layout), [query, *neighbors]
    clips = [project(row.keypoint, table) for row in rows]
    room = fit(clips, _WIDTH - 2 * MARGIN - _TEXT - _GAP, height=1.1)
    height = max(room.height, 0.85) + _GAP
    paper = HEAD + height * len(rows) + 3 * _GAP
    figure = titled_sheet(_WIDTH, paper, title, table, clips)
    for number, (row, clip) in enumerate(zip(rows, clips)):
        bottom = paper - HEAD - height * (number + 1) - (2 * _GAP if number else 0)
        axes = panel(figure, 0, bottom, _WIDTH, height)
        _frame(axes, (MARGIN, _GAP / 2, _WIDTH - 2 * MARGIN, height - _GAP), row, query)
        _describe(axes, (MARGIN + 0.12, height - _GAP / 2 - 0.12), row, query, number)
        corner = (MARGIN + _TEXT, (height - room.height) / 2)
        Figures(axes, clip[:, seen_frames(clip, room.count)], table, room, corner)
    return figure


class _Animation:
    """The query and its neighbours side by side, all from their first frame to their last in one time."""

    def __init__(
        self,
        query: RetrievedClip,
        neighbors: Sequence[RetrievedClip],
        layout: SkeletonLayout,
        title: str,
    ) -> None:
        cells = [query, *neighbors]
        self.clips = [project(cell.keypoint, layout) for cell in cells]
        columns = 2 if len(cells) in (2, 4) else 3
        width = (_WIDTH - 2 * MARGIN) / columns
        room = fit(self.clips, width - 2 * _GAP, height=1.9, fewest=1, most=1)
        height, lines = max(room.height, 1.0) + 0.95, -(-len(cells) // columns)
        paper = HEAD + height * lines + _GAP
        self.figure = titled_sheet(_WIDTH, paper, title, layout, self.clips)
        self.shown: List[Figures] = []
        for number, (cell, clip) in enumerate(zip(cells, self.clips)):
            left, line = MARGIN + number % columns * width, number // columns
            axes = panel(self.figure, left, paper - HEAD - height * (line + 1), width, height)
            _frame(axes, (_GAP / 2, _GAP / 2, width - _GAP, height - _GAP), cell, query)
            _describe(axes, (_GAP / 2 + 0.12, height - _GAP / 2 - 0.12), cell, query, number)
            corner = ((width - room.width) / 2, _GAP)
            self.shown.append(Figures(axes, clip[:, :1], layout, room, corner))

    def write(self, path: Path) -> Path:
        """Writes the film, whole or not at all."""
        order = [seen_frames(clip, _FRAMES) for clip in self.clips]
        writer = _MOVING[path.suffix](fps=_FPS)
        with tempfile.TemporaryDirectory() as folder:
            film = Path(folder, f'film{path.suffix}')
            with writer.saving(self.figure, str(film), dpi=100):
                for moment in range(_FRAMES):
                    for figures, clip, frames in zip(self.shown, self.clips, order):
                        figures.move(clip[:, frames[moment], None])
                    writer.grab_frame()
            return write_file(path, film.read_bytes())


def _frame(axes: Axes, box: Sequence[float], clip: RetrievedClip, query: RetrievedClip) -> None:
    """What stands around a clip: a grey ground for the query, and a frame that says right or wrong."""
    left, bottom, width, height = box
    style = dict(facecolor='none', edgecolor='0.8', linewidth=0.8)
    if clip is query:
        style.update(facecolor='0.94', edgecolor='none')
    elif clip.agrees(query) is not None:
        style.update(_RIGHT if clip.agrees(query) else _WRONG)
    box_style = 'round,pad=0,rounding_size=0.06'
    axes.add_patch(FancyBboxPatch((left, bottom), width, height, boxstyle=box_style, zorder=1, **style))


def _describe(
    axes: Axes, corner: Sequence[float], clip: RetrievedClip, query: RetrievedClip, rank: int
) -> None:
    """Writes class, name and cosine of a clip, from the left upper corner downwards."""
    agrees = clip.agrees(query) if clip is not query else None
    mark = {True: '✓ ', False: '✗ ', None: ''}[agrees]
    color = {True: _RIGHT['edgecolor'], False: _WRONG['edgecolor'], None: 'black'}[agrees]
    head = f'{mark}{shorten(clip.class_name or clip.name, 22)}'
    axes.text(*corner, head, fontsize=10, fontweight='bold', color=color, va='top', zorder=4)
    lines = [shorten(clip.name, 26)] if clip.class_name else []
    lines.append('query' if clip is query else f'{rank}. cosine {clip.similarity:.3f}')
    across, up = corner
    axes.text(across, up - 0.22, '\n'.join(lines), fontsize=8.5, color='0.2', va='top', linespacing=1.4)
