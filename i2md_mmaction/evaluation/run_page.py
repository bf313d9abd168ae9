"""What a run measured of itself, on one page."""

from pathlib import Path
from typing import Dict, List, NamedTuple, Union

from matplotlib.figure import Figure

from .floors import read_floors
from .history import Curve, read_knn_curves, read_quality_curves, read_term_curves
from .plots import draw_curves, save_figure

#: Titles of the qualities of embeddings, and the value that each takes when all embeddings are alike.
QUALITIES = dict(
    alignment=('alignment of two views', 0),
    uniformity=('uniformity', 0),
    std=('standard deviation (of a uniform sphere: 1)', 0),
    rank=('effective rank (RankMe)', 1),
)


class Panel(NamedTuple):
    """Curves over epochs that share an axis."""

    title: str
    curves: Dict[str, Curve]
    unit: str = ''
    #: Name -> value of level lines.
    levels: Dict[str, float] = {}


def run_panels(work_dir: Union[str, Path]) -> List[Panel]:
    """What a run measured: losses and accuracies of training, 1-NN, the qualities of its embeddings.

    Args:
        work_dir: Folder of its logs, with the floors of 1-NN if they were
            measured (:func:`.write_floors`).

    Returns:
        A panel for each, none for what was not measured.

    Raises:
        FileNotFoundError: If the logs hold neither a step nor a validation.
    """
    terms = read_term_curves(work_dir)
    losses = {name: curve for name, curve in terms.items() if name.startswith('loss')}
    accuracies = {name: curve for name, curve in terms.items() if name.startswith('acc')}
    floors = {f'{name} ({level:.1f} %)': level for name, level in read_floors(work_dir).items()}
    qualities = read_quality_curves(work_dir)
    panels = [
        Panel('losses of training, by group', losses),
        Panel('accuracy on the views of training', accuracies, '%'),
        Panel('1-NN on the view of evaluation', read_knn_curves(work_dir), '%', floors),
    ]
    for quality, (title, collapsed) in QUALITIES.items():
        panels.append(Panel(title, qualities.get(quality, {}), levels={'collapse': collapsed}))
    panels = [panel for panel in panels if panel.curves]
    if not panels:
        raise FileNotFoundError(
            f'no log under {work_dir} holds a step or a validation; give the work_dir of a run'
        )
    return panels


def plot_run(work_dir: Union[str, Path], path: Union[str, Path], title: str = '') -> Path:
    """Draws what a run measured over its epochs, a panel for each, on one page.

    Args:
        work_dir: Folder of its logs, as for :func:`run_panels`.
        path: PNG file to write.
        title: Title of the page; the name of the folder by default.

    Raises:
        FileNotFoundError: If there is nothing to draw.
    """
    panels = run_panels(work_dir)
    rows = -(-len(panels) // 2)
    figure = Figure(figsize=(13, 3.5 * rows), layout='constrained')
    places = list(figure.subplots(rows, 2, squeeze=False).flat)
    for axes, panel in zip(places, panels):
        draw_curves(axes, panel.curves, panel.title, panel.unit, panel.levels)
        axes.legend(loc='center left', bbox_to_anchor=(1, 0.5), frameon=False)
    for axes in places[len(panels) :]:
        axes.remove()
    for axes in places[max(0, len(panels) - 2) : len(panels)]:
        axes.set(xlabel='epoch')
    figure.suptitle(title or Path(work_dir).resolve().name)
    return save_figure(figure, path, dpi=110)
