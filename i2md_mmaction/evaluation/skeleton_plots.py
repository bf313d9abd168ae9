"""A sample and its augmented views as one sheet."""

import textwrap
from pathlib import Path
from typing import Dict, Mapping, Optional, Union

import numpy as np
from matplotlib.figure import Figure

from ..skeletons import get_layout
from .plots import save_figure
from .stick_figures import HEAD, MARGIN, Figures, fit, panel, project, seen_frames, titled_sheet

# Inches: a sheet, the figures of a row, a line of text.
_WIDTH, _HEIGHT, _LINE = 9.0, 1.15, 0.17


def plot_views(
    views: Dict[str, np.ndarray],
    layout: str,
    path: Union[str, Path],
    title: str = '',
    notes: Optional[Mapping[str, str]] = None,
) -> Path:
    """Draws a row of stick figures for each view of a sample; a legend names sides and persons.

    All rows are seen from the front of the sample's body, on one scale, each at
    frames evenly spaced among those in which somebody is seen.

    Args:
        views: Name -> (M, T, V, C); the first is the sample itself.
        layout: Name of the skeleton layout.
        path: PNG file to write.
        title: Title of the sheet.
        notes: Name -> what is said of a view, such as how it was augmented.
    """
    figure = draw_views(views, layout, title, notes)
    return save_figure(figure, path, dpi=130)


def draw_views(
    views: Dict[str, np.ndarray], layout: str, title: str = '', notes: Optional[Mapping[str, str]] = None
) -> Figure:
    """The figure of :func:`plot_views`, an axes for each row."""
    table = get_layout(layout)
    sample = next(iter(views.values()))
    clips = {name: project(keypoint, table, sample) for name, keypoint in views.items()}
    room = fit(list(clips.values()), _WIDTH - 2 * MARGIN, _HEIGHT)
    texts = {name: textwrap.wrap((notes or {}).get(name, ''), 118) for name in views}
    heights = {name: room.height + _LINE * (2.4 + len(texts[name])) for name in views}
    top = HEAD + sum(heights.values()) + MARGIN
    figure = titled_sheet(_WIDTH, top, title, table, list(clips.values()))
    top -= HEAD
    for name, clip in clips.items():
        height = heights[name]
        top -= height
        axes = panel(figure, 0, top, _WIDTH, height)
        axes.plot([MARGIN, _WIDTH - MARGIN], [height - 0.04] * 2, color='0.85', lw=0.8)
        axes.text(MARGIN, height - 0.1, name, fontsize=9, fontweight='bold', va='top')
        for number, line in enumerate(texts[name], start=1):
            axes.text(MARGIN, height - 0.1 - number * _LINE, line, fontsize=8, color='0.25', va='top')
        frames = seen_frames(clip, room.count)
        shown = Figures(axes, clip[:, frames], table, room, corner=(MARGIN, _LINE))
        for (across, _), frame in zip(shown.middles, frames):
            axes.text(across, 0.02, f'frame {frame}', fontsize=7, color='0.4', ha='center')
    return figure
