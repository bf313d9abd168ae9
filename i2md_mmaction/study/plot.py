"""A picture of a study: methods by data sets, and how far chance moves them."""

import textwrap
from pathlib import Path
from typing import Any, Dict, List, Mapping, Tuple, Union

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..evaluation.plots import save_figure
from .figures import MEAN, REFERENCES, measured_methods
from .results import ALL

#: (encoder, method, data set) -> row of the scores.
_Rows = Mapping[Tuple[str, str, str], Mapping[str, Any]]
#: (encoder, method) -> its height, which is 0 for the uppermost.
_Places = Mapping[Tuple[str, str], int]

_COLUMNS = 3
#: Methods that the others are seen against; told apart without their colours, which are Okabe and Ito's.
_STYLES = (
    dict(linestyle=':', color='#000000'),
    dict(linestyle='--', color='#0072B2'),
    dict(linestyle='-.', color='#D55E00'),
)
_LEVELS = dict(zip(REFERENCES, _STYLES))
_BASELINE = dict(linestyle='-', color='0.75')
_SEEDS = dict(linestyle='', marker='|', markersize=6, color='0.5')
_INTERVAL = dict(linewidth=1.5, color='black')
_DOT = dict(marker='o', markersize=6.5, markeredgewidth=1.5, **_INTERVAL)


def plot_study(
    figures: Mapping[str, Any], layout: Mapping, path: Union[str, Path], protocol: str = 'knn'
) -> Path:
    """Draws the accuracy of all streams together: a panel for each data set, one for their mean.

    A dot is the mean over seeds, and its bar the 95 % interval of that mean by a
    bootstrap over test samples and seeds. The bars contain what all methods share,
    such as hard samples, so that they overlap even where one method is surely
    better than another. A black dot says this: the 95 % interval of its paired
    difference from the baseline is without 0. Methods that the others are seen
    against are lines across those of their encoder, or numbers with an arrow where
    they lie so low that the methods would move together. What is absent is left out.

    Args:
        figures: As :func:`~i2md_mmaction.study.figures.study_figures` gives them.
        layout: The layout that they were made with.
        path: File to write; its suffix says the kind of picture.
        protocol: Name of the protocol.

    Raises:
        ValueError: If there are no figures of this protocol.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from i2md_mmaction.study.figures import study_figures
        >>> from i2md_mmaction.study.results import Result, pack
        >>> settings = dict(title='BiGRU', baseline='moco', methods=dict(moco='MoCo v2'))
        >>> layout = dict(encoders=dict(gru=settings), data=dict(sbu='SBU'))
        >>> right = dict(knn=dict(all=pack([1, 1, 0, 0])))
        >>> figures = study_figures([Result('gru', 'moco', 'sbu', 0, samples=4, right=right)], layout)
        >>> with TemporaryDirectory() as folder:
        ...     plot_study(figures, layout, f'{folder}/study.png').name
        'study.png'
    """
    scores = {
        (row['encoder'], row['method'], row['data']): row
        for row in figures['scores']
        if (row['protocol'], row['stream']) == (protocol, ALL)
    }
    if not scores:
        known = sorted({row['protocol'] for row in figures['scores']})
        raise ValueError(f'there are no figures of {protocol!r} to draw; there are those of {known}')
    places, measured = _places(scores, layout), {data for *_, data in scores}
    titles = {**layout['data'], MEAN: 'mean of the data sets'}
    titles = {data: title for data, title in titles.items() if data in measured}
    lines = -(-(len(titles) + 1) // _COLUMNS)  # the legend takes a cell, too
    figure = Figure(figsize=(3 * _COLUMNS, 0.4 + lines * (0.6 + 0.27 * len(places))), layout='constrained')
    grid = figure.subplots(lines, _COLUMNS, sharey=True, squeeze=False)
    for axes, (data, title) in zip(grid.flat, titles.items()):
        axes.set(title=title, xlim=_ends(scores, data))
        for encoder in dict.fromkeys(encoder for encoder, _ in places):
            _draw_encoder(axes, scores, encoder, data, layout, places)
    for axes in grid.flat[len(titles) :]:
        axes.axis('off')
    grid.flat[len(titles)].legend(handles=_legend(scores, layout), loc='center', frameon=False)
    _label_places(grid, layout, places)
    figure.suptitle(f'Top-1 accuracy (%) of all streams together: {protocol}')
    return save_figure(figure, path, dpi=150)


def _places(scores: _Rows, layout: Mapping) -> Dict[Tuple[str, str], int]:
    """The height of each row; (encoder, '') is that of its title."""
    rows = [
        (encoder, method)
        for encoder, methods in measured_methods(scores, layout).items()
        for method in ('', *methods)
        if method not in _LEVELS
    ]
    return {row: place for place, row in enumerate(rows)}


def _ends(scores: _Rows, data: str) -> Tuple[float, float]:
    """The ends of the axis of a data set: all methods and what lies above or not far below them."""
    shown = {key[:2]: row['accuracy'] for key, row in scores.items() if key[2] == data}
    methods = [accuracy for (_, method), accuracy in shown.items() if method not in _LEVELS]
    low = min(accuracy['low'] for accuracy in methods or shown.values())
    high = max(max(accuracy['high'], accuracy['value']) for accuracy in shown.values())
    margin = 0.06 * (high - low) or 1.0
    near = [accuracy['value'] for accuracy in shown.values() if accuracy['value'] > low - 5 * margin]
    return min([low, *near]) - margin, high + margin


def _draw_encoder(
    axes: Axes, scores: _Rows, encoder: str, data: str, layout: Mapping, places: _Places
) -> None:
    """Draws the methods of an encoder on one data set."""
    settings = layout['encoders'][encoder]
    ours = [place for (name, _), place in places.items() if name == encoder]
    left, beyond = axes.get_xlim()[0], 0
    for method in settings['methods']:
        row = scores.get((encoder, method, data))
        if row is None:
            continue
        if method in (*_LEVELS, settings['baseline']):
            style, level = _LEVELS.get(method, _BASELINE), row['accuracy']['value']
            if level >= left:
                axes.vlines(level, ours[0] + 0.5, ours[-1] + 0.5, zorder=1, **style)
            else:
                # In the row of the encoder's title, which is empty here.
                place = dict(transform=axes.get_yaxis_transform(), va='center')
                axes.text(0.02 + 0.2 * beyond, ours[0], f'\u25c2 {level:.0f}', color=style['color'], **place)
                beyond += 1
        if method not in _LEVELS:
            _draw_method(axes, places[encoder, method], row, method == settings['baseline'])


def _draw_method(axes: Axes, place: int, row: Mapping[str, Any], is_baseline: bool) -> None:
    """Draws the mean of a method with its interval, and its seeds below them."""
    accuracy, difference = row['accuracy'], row['difference']
    differs = difference is not None and not difference['low'] <= 0 <= difference['high']
    filling = 'white' if is_baseline else 'black' if differs else '0.7'
    axes.plot([accuracy['low'], accuracy['high']], [place, place], zorder=2, **_INTERVAL)
    axes.plot(accuracy['value'], place, zorder=3, markerfacecolor=filling, **_DOT)
    axes.plot(accuracy['by_seed'], [place + 0.3] * len(accuracy['by_seed']), **_SEEDS)


def _label_places(grid, layout: Mapping, places: _Places) -> None:
    """Names the rows beside the panels on the left; the titles of encoders are bold."""
    encoders = layout['encoders']
    names = [
        textwrap.fill(encoders[encoder]['methods'].get(method, encoders[encoder]['title']), 20)
        for encoder, method in places
    ]
    for axes in grid.flat:
        axes.set_yticks(list(places.values()), names)
        axes.set(ylim=(len(places) - 0.4, -0.6))
        axes.tick_params(axis='y', length=0)
        axes.grid(axis='x', alpha=0.3)
        for (_, method), label in zip(places, axes.get_yticklabels()):
            label.set_fontweight('normal' if method else 'bold')


def _legend(scores: _Rows, layout: Mapping) -> List[Line2D]:
    """What the marks and lines mean."""

    def entry(label: str, **style: Any) -> Line2D:
        return Line2D([], [], label=label, **style)

    dot = dict(_DOT, linestyle='')
    drawn = {method for _, method, _ in scores}
    titles = {
        method: title
        for settings in layout['encoders'].values()
        for method, title in settings['methods'].items()
    }
    return [
        entry('95 % interval of the mean', **_INTERVAL),
        entry(
            'baseline, and its level',
            markerfacecolor='white',
            **dict(_DOT, **_BASELINE, markeredgecolor='black'),
        ),
        entry('differs from the baseline', markerfacecolor='black', **dot),
        entry('may not differ from it', markerfacecolor='0.7', **dot),
        entry('single seeds', **_SEEDS),
        *(entry(titles[method], **style) for method, style in _LEVELS.items() if method in drawn),
    ]
