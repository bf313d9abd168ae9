"""Pictures of skeleton sequences."""

from pathlib import Path
from typing import Dict, Tuple, Union

import numpy as np
from matplotlib.figure import Figure

from ..skeletons import SkeletonLayout, get_layout
from .plots import save_figure


def facing_axes(keypoint: np.ndarray, layout: SkeletonLayout) -> Tuple[int, int]:
    """The coordinates in which a body is seen from the front.

    Args:
        keypoint: (T, V, C) of one person.
        layout: Its layout.

    Returns:
        (across, up): up is where the spine mostly points, across where the
        shoulders do.
    """

    def direction(line: Tuple) -> np.ndarray:
        start, end = (keypoint[:, list(group)].mean(axis=1) for group in line)
        return np.abs(end - start).mean(axis=0)

    spine = direction(layout.spine) if layout.spine else np.eye(keypoint.shape[-1])[1]
    up = int(spine.argmax())
    shoulders = direction(layout.shoulders) if layout.shoulders else np.ones(keypoint.shape[-1])
    shoulders[up] = -1
    return int(shoulders.argmax()), up


def plot_views(
    views: Dict[str, np.ndarray], layout: str, path: Union[str, Path], title: str = '', num_frames: int = 8
) -> Path:
    """Draws a row of stick figures for each view of a sample, left limbs blue, right ones red.

    All rows are seen from the front of the first one's body, on one scale.

    Args:
        views: Name -> (M, T, V, C); the first is the sample itself.
        layout: Name of the skeleton layout.
        path: PNG file to write.
        title: Title of the sheet.
        num_frames: Figures in a row, evenly spaced in time.
    """
    table = get_layout(layout)
    original = next(iter(views.values()))
    across, up = facing_axes(original[0], table)
    size = 1.3 * np.abs(original[..., [across, up]]).max()
    left = {joint for joint, _ in table.pairs}
    right = {joint for _, joint in table.pairs}
    figure = Figure(figsize=(1.5 * num_frames, 1.9 * len(views)), layout='constrained')
    axes = figure.subplots(len(views), num_frames, squeeze=False)
    for row, (name, keypoint) in zip(axes, views.items()):
        frames = np.linspace(0, keypoint.shape[1] - 1, num_frames).round().astype(int)
        for axis, frame in zip(row, frames):
            for person, style in zip(keypoint[:, frame], ('-', ':', '--', '-.')):
                for child, parent in table.edges if person.any() else ():
                    color = 'C0' if child in left else 'C3' if child in right else 'black'
                    axis.plot(*person[[child, parent]][:, [across, up]].T, style, color=color, lw=1.5)
            axis.set(xlim=(-size, size), ylim=(-size, size), xticks=[], yticks=[], aspect='equal')
            axis.set_title(f'frame {frame}', fontsize=7)
        row[0].set_ylabel(name, fontsize=8)
    figure.suptitle(title)
    return save_figure(figure, path, dpi=110)
