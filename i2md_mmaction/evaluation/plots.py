"""Pictures of what was learnt: functions on arrays, one PNG each."""

from pathlib import Path
from typing import Dict, Optional, Sequence, Tuple, Union

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from sklearn.manifold import TSNE

#: Ten colours and a few marks tell up to 60 classes apart.
_MARKS = 'osD^vP'


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
        labels: (S,).
        path: PNG file to write.
        class_names: Names by label; the numbers by default.
        title: Title of the picture.
        seed: Seed of t-SNE.
    """
    unit = features / np.linalg.norm(features, axis=1, keepdims=True).clip(1e-12)
    perplexity = min(30, max(2, (len(unit) - 1) / 3))
    points = TSNE(init='pca', perplexity=perplexity, random_state=seed).fit_transform(unit)
    figure = Figure(figsize=(9, 6), layout='constrained')
    axes = figure.add_subplot()
    classes = np.unique(labels)
    for order, label in enumerate(classes):
        rows = labels == label
        name = class_names[label] if class_names else f'class {label}'
        color, mark = f'C{order % 10}', _MARKS[order // 10 % len(_MARKS)]
        axes.scatter(*points[rows].T, s=14, c=color, marker=mark, alpha=0.8, linewidths=0, label=name)
    axes.set(title=title, xticks=[], yticks=[])
    columns = 1 + (len(classes) - 1) // 25
    axes.legend(loc='center left', bbox_to_anchor=(1, 0.5), fontsize='small', ncols=columns, frameon=False)
    figure.savefig(path, dpi=150)
    return Path(path)


def plot_knn_curve(
    curves: Dict[str, Tuple[Sequence[int], Sequence[float]]],
    path: Union[str, Path],
    floors: Optional[Dict[str, float]] = None,
    title: str = '1-NN accuracy over pre-training',
) -> Path:
    """Draws accuracy over epochs.

    Args:
        curves: Name -> (epochs, accuracies in percent).
        path: PNG file to write.
        floors: Name -> accuracy drawn as a level line, such as that of the raw
            joints.
        title: Title of the picture.
    """
    figure = Figure(figsize=(8, 5), layout='constrained')
    axes = figure.add_subplot()
    for name, (epochs, accuracy) in curves.items():
        axes.plot(epochs, accuracy, marker='.', label=name)
    for (name, level), style in zip((floors or {}).items(), ('--', ':', '-.')):
        axes.axhline(level, color='gray', linestyle=style)
        axes.add_line(Line2D([], [], color='gray', linestyle=style, label=f'{name} ({level:.1f} %)'))
    axes.set(title=title, xlabel='epoch', ylabel='accuracy (%)')
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)
    return Path(path)
