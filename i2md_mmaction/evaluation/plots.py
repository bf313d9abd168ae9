"""Pictures of what was learnt: functions on arrays, one PNG each."""

from itertools import cycle
from pathlib import Path
from typing import Dict, Optional, Sequence, Tuple, Union

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from sklearn.manifold import TSNE

from ..datasets import class_label
from ..io import atomic_write
from .finite import check_finite

#: Ten colours and a few marks tell up to 60 classes apart.
_MARKS = 'osD^vP'


def save_figure(figure: Figure, path: Union[str, Path], dpi: int) -> Path:
    """Writes a picture whole or not at all; the suffix says its kind."""
    with atomic_write(path) as file:
        figure.savefig(file, dpi=dpi, format=Path(path).suffix[1:] or 'png')
    return Path(path)


def place_by_tsne(features: np.ndarray, seed: int = 0) -> np.ndarray:
    """Places embeddings in the plane by t-SNE, which begins at their principal components.

    Args:
        features: (S, H), at least three; scaled to unit length here.
        seed: Seed of t-SNE.

    Returns:
        (S, 2).

    Raises:
        ValueError: If a feature is not finite.
    """
    check_finite('features of t-SNE', torch.as_tensor(features))
    unit = features / np.linalg.norm(features, axis=1, keepdims=True).clip(1e-12)
    perplexity = min(30, max(2, (len(unit) - 1) / 3))
    return TSNE(init='pca', perplexity=perplexity, random_state=seed).fit_transform(unit)


def plot_tsne(
    features: np.ndarray,
    labels: np.ndarray,
    path: Union[str, Path],
    class_names: Optional[Sequence[str]] = None,
    title: str = 't-SNE of the embeddings',
    seed: int = 0,
) -> Path:
    """Draws embeddings in the plane, a colour and mark for each class.

    Args:
        features: (S, H).
        labels: (S,), -1 for none.
        path: PNG file to write.
        class_names: Names by label; the numbers by default.
        title: Title of the picture.
        seed: Seed of t-SNE.

    Raises:
        ValueError: If a feature is not finite.
    """
    points = place_by_tsne(features, seed)
    figure = Figure(figsize=(9, 6), layout='constrained')
    axes = figure.add_subplot()
    classes = np.unique(labels)
    for order, label in enumerate(classes):
        rows = labels == label
        name = class_label(label, class_names)
        color, mark = f'C{order % 10}', _MARKS[order // 10 % len(_MARKS)]
        axes.scatter(*points[rows].T, s=14, c=color, marker=mark, alpha=0.8, linewidths=0, label=name)
    axes.set(title=title, xticks=[], yticks=[])
    columns = 1 + (len(classes) - 1) // 25
    axes.legend(loc='center left', bbox_to_anchor=(1, 0.5), fontsize='small', ncols=columns, frameon=False)
    return save_figure(figure, path, dpi=150)


def draw_curves(
    axes: Axes,
    curves: Dict[str, Tuple[Sequence[int], Sequence[float]]],
    title: str,
    unit: str = '',
    levels: Optional[Dict[str, float]] = None,
) -> None:
    """Draws curves over epochs into a panel, and level lines in grey."""
    for mark, (name, (epochs, values)) in zip(cycle(_MARKS), curves.items()):
        axes.plot(epochs, values, marker=mark, markersize=4, label=name)
    for (name, level), style in zip((levels or {}).items(), ('--', ':', '-.')):
        axes.axhline(level, color='gray', linestyle=style, label=name)
    axes.set(title=title, ylabel=unit)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)


def plot_confusion(
    matrix: np.ndarray,
    path: Union[str, Path],
    class_names: Optional[Sequence[str]] = None,
    title: str = 'Confusion matrix',
) -> Path:
    """Draws a confusion matrix, each row scaled to 100 %; numbers up to 20 classes.

    Args:
        matrix: (classes, classes), samples of a true class (row) by predicted
            class (column).
        path: PNG file to write.
        class_names: Names by label; the numbers by default.
        title: Title of the picture.
    """
    classes = len(matrix)
    percent = 100 * matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    names = list(class_names or range(classes))
    size, font = (max(7, 0.22 * classes + 2.5), 9 if classes <= 20 else 8)
    figure = Figure(figsize=(size + 1, size), layout='constrained')
    axes = figure.add_subplot()
    image = axes.imshow(percent, cmap='Blues', vmin=0, vmax=100)
    figure.colorbar(image, ax=axes, label='share of the true class (%)', shrink=0.8)
    axes.set_xticks(range(classes), names, rotation=90 if classes > 20 else 40, fontsize=font)
    axes.set_yticks(range(classes), names, fontsize=font)
    for label in axes.get_xticklabels():
        label.set_ha('center' if classes > 20 else 'right')
        label.set_rotation_mode('default' if classes > 20 else 'anchor')
    axes.set(title=title, xlabel='predicted', ylabel='true')
    for row, column in np.argwhere(percent >= 0.5) if classes <= 20 else ():
        color = 'white' if percent[row, column] > 60 else 'black'
        axes.text(
            column, row, f'{percent[row, column]:.0f}', ha='center', va='center', color=color, fontsize=8
        )
    return save_figure(figure, path, dpi=150)


def plot_class_accuracy(
    accuracies: Dict[str, np.ndarray],
    path: Union[str, Path],
    class_names: Optional[Sequence[str]] = None,
    title: str = 'Accuracy of each class',
) -> Path:
    """Draws the accuracy of each class, classes ordered by the last of several curves.

    Args:
        accuracies: Name, such as a stream -> (classes,) in percent; NaN where
            a class has no sample.
        path: PNG file to write.
        class_names: Names by label; the numbers by default.
        title: Title of the picture.
    """
    last = list(accuracies.values())[-1]
    order = np.argsort(np.nan_to_num(last, nan=-1), kind='stable')
    names = [class_label(label, class_names) for label in order]
    figure = Figure(figsize=(8, max(4, 0.26 * len(order) + 1.5)), layout='constrained')
    axes = figure.add_subplot()
    places = np.arange(len(order))
    axes.barh(places, np.nan_to_num(last[order]), color='C0', alpha=0.35, label=list(accuracies)[-1])
    # Side by side, so that equal accuracies do not hide one another.
    others = list(accuracies.items())[:-1]
    for index, (mark, (name, values)) in enumerate(zip(_MARKS, others)):
        shift = 0.25 * ((len(others) - 1) / 2 - index)
        axes.plot(values[order], places + shift, mark, label=name, markersize=5)
    axes.set_yticks(places, names, fontsize=8)
    axes.set(title=title, xlabel='accuracy (%)', xlim=(0, 102), ylim=(-0.6, len(order) - 0.4))
    axes.grid(axis='x', alpha=0.3)
    axes.legend(frameon=False, loc='center left', bbox_to_anchor=(1, 0.5))
    return save_figure(figure, path, dpi=150)
