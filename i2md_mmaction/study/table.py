"""The figures of a study as Markdown."""

import re
import textwrap
from collections import Counter
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from ..protocols.report import markdown_table
from ..protocols.table import find_protocol
from .figures import MEAN, REFERENCES, measured_methods
from .results import ALL, EACH

#: Title, factor and name of each cost in the table of costs.
_COSTS = dict(
    parameters=('parameters (M)', 1e-6),
    gflops=('GFLOPs a sample', 1),
    ms_per_step=('ms a step', 1),
    seconds=('minutes a run', 1 / 60),
)
#: A digest or commit, and its first digits, which stand for it.
_DIGEST = re.compile(r'\b([0-9a-f]{8})[0-9a-f]{12,}\b')
#: Text and number of seeds.
_Cell = Tuple[str, Optional[int]]
#: A cell of which nothing is to be said.
_BLANK: _Cell = ('', None)
#: (encoder, method, stream, data set) -> row.
_Scores = Mapping[Tuple[str, ...], Mapping[str, Any]]


def study_tables(figures: Mapping[str, Any], layout: Mapping) -> Dict[str, str]:
    """The tables of a study in Markdown, by the name of their place in a page.

    What is absent is a dash, and a method of which all is absent has no row. A
    column n counts the seeds wherever they are not as many as elsewhere. Methods
    that the others are seen against, such as an untrained encoder, are in italics;
    their differences are left to the tables of single protocols.

    Args:
        figures: As :func:`~i2md_mmaction.study.figures.study_figures` gives them.
        layout: The layout that they were made with.

    Returns:
        ``overview`` -> means over the data sets by all protocols, and
        ``overview-each`` -> those of the single streams. For each protocol its
        name -> all streams together, ``NAME-streams`` -> each stream, and
        ``NAME-ensemble`` -> what streams add to one another. ``cost``; and
        ``note``, which says what the numbers are and where they come from.

    Example:
        >>> from i2md_mmaction.study.figures import study_figures
        >>> from i2md_mmaction.study.results import Result, pack
        >>> settings = dict(title='BiGRU', baseline='moco', methods=dict(moco='MoCo v2'))
        >>> layout = dict(encoders=dict(gru=settings), data=dict(sbu='SBU'))
        >>> right = dict(knn=dict(all=pack([1, 1, 0, 0])))
        >>> runs = [Result('gru', 'moco', 'sbu', seed, samples=4, right=right) for seed in range(2)]
        >>> print(study_tables(study_figures(runs, layout), layout)['knn'])
        **BiGRU**, `knn`, differences from MoCo v2 with their 95 % intervals
        <BLANKLINE>
        |  | SBU | mean | difference |
        |---|---|---|---|
        | MoCo v2 | 50.0 ± 0.0 | 50.0 ± 0.0 | baseline |
    """
    counts = Counter(len(row['accuracy']['by_seed']) for row in figures['scores'])
    usual = counts.most_common(1)[0][0] if counts else 0
    tables = {
        'overview': _overview(figures, layout, usual, ALL),
        'overview-each': _overview(figures, layout, usual, EACH),
    }
    for protocol in dict.fromkeys(row['protocol'] for row in figures['scores']):
        ours = {
            tuple(row[key] for key in ('encoder', 'method', 'stream', 'data')): row
            for row in figures['scores']
            if row['protocol'] == protocol
        }
        tables[protocol] = _summary(protocol, ours, layout, usual)
        tables[f'{protocol}-streams'] = _streams(protocol, ours, layout, usual)
        tables[f'{protocol}-ensemble'] = _ensemble(protocol, ours, layout)
    return dict(tables, cost=_cost(figures['cost'], layout), note=_note(figures, usual, len(counts) > 1))


def format_accuracy(cell: Optional[Mapping[str, Any]]) -> str:
    """Mean and sample standard deviation, or a dash.

    Example:
        >>> format_accuracy(dict(value=81.23, spread=1.06)), format_accuracy(None)
        ('81.2 ± 1.1', '-')
    """
    if cell is None:
        return '-'
    return f'{cell["value"]:.1f}' + ('' if cell['spread'] is None else f' ± {cell["spread"]:.1f}')


def format_difference(cell: Optional[Mapping[str, Any]]) -> str:
    """A difference with its interval, or a dash.

    What is rounded to zero keeps its sign, which says whether zero lies inside.

    Example:
        >>> format_difference(dict(value=1.23, low=-0.04, high=2.5))
        '+1.2 [-0.0, +2.5]'
    """
    if cell is None:
        return '-'
    value, low, high = (f'{cell[key]:+.1f}' for key in ('value', 'low', 'high'))
    return f'{value} [{low}, {high}]'


def _overview(figures: Mapping[str, Any], layout: Mapping, usual: int, stream: str) -> str:
    """One table: methods by protocols, the mean over the data sets."""
    scores = {
        (row['encoder'], row['method'], row['protocol']): row
        for row in figures['scores']
        if (row['data'], row['stream']) == (MEAN, stream)
    }
    protocols, rows = list(dict.fromkeys(protocol for *_, protocol in scores)), []
    for encoder, methods in measured_methods(scores, layout).items():
        settings = layout['encoders'][encoder]
        if settings['baseline'] not in methods:
            continue
        rows.append(_heading(settings, 2 * len(protocols)))
        for method in methods:
            found = [scores.get((encoder, method, protocol)) for protocol in protocols]
            cells = [
                [
                    _cell(row, 'accuracy'),
                    _BLANK if method in REFERENCES else _difference(row, method == settings['baseline']),
                ]
                for row in found
            ]
            rows.append(([_title(settings, method)], [cell for pair in cells for cell in pair]))
    header = ['', *(title for name in protocols for title in (f'`{name}`', 'difference'))]
    caption = "Means over data sets, and methods' differences from their baseline with 95 % intervals"
    return '\n\n'.join(_table(caption, header, rows, usual))


def _summary(protocol: str, scores: _Scores, layout: Mapping, usual: int) -> str:
    """A table for each encoder: methods by data sets, all streams together."""
    tables = []
    for encoder, methods in measured_methods(scores, layout).items():
        settings, rows = layout['encoders'][encoder], []
        baseline = settings['baseline']
        for method in methods:
            found = [scores.get((encoder, method, ALL, data)) for data in (*layout['data'], MEAN)]
            last = _difference(found[-1], method == baseline)
            rows.append(([_title(settings, method)], [*(_cell(row, 'accuracy') for row in found), last]))
        caption = f'**{settings["title"]}**, `{protocol}`, {_differences(settings)}'
        tables += _table(caption, ['', *layout['data'].values(), 'mean', 'difference'], rows, usual)
    return '\n\n'.join(tables)


def _streams(protocol: str, scores: _Scores, layout: Mapping, usual: int) -> str:
    """Two tables for each encoder, accuracies and differences: streams of methods by data sets."""
    tables = []
    for encoder, measured in measured_methods(scores, layout).items():
        settings = layout['encoders'][encoder]
        baseline = settings['baseline']
        others = [method for method in measured if method not in (*REFERENCES, baseline)]
        for kind, methods, title in (
            ('accuracy', measured, 'accuracy'),
            ('difference', others, _differences(settings)),
        ):
            rows = [
                (
                    [_title(settings, method), stream],
                    [_cell(scores.get((encoder, method, stream, data)), kind) for data in layout['data']],
                )
                for method in methods
                for stream in dict.fromkeys(key[2] for key in scores if key[:2] == (encoder, method))
            ]
            header = ['', 'stream', *layout['data'].values()]
            tables += _table(f'**{settings["title"]}**, `{protocol}`, {title}', header, rows, usual)
    return '\n\n'.join(tables)


def _ensemble(protocol: str, scores: _Scores, layout: Mapping) -> str:
    """A table of methods with several streams: means over the data sets, and how alike streams are."""
    header, rows = ['', 'each stream', 'all together', 'gain', 'agreement'], []
    for encoder, methods in measured_methods(scores, layout).items():
        found = {
            method: [scores.get((encoder, method, stream, MEAN)) for stream in (EACH, ALL)]
            for method in methods
        }
        found = {method: pair for method, pair in found.items() if all(pair)}
        if found:
            rows.append(_heading(layout['encoders'][encoder], len(header) - 1))
        for method, (each, together) in found.items():
            gain = together['accuracy']['value'] - each['accuracy']['value']
            agreement = '-' if each['agreement'] is None else f'{each["agreement"]:.2f}'
            cells = [format_accuracy(row['accuracy']) for row in (each, together)]
            label = _title(layout['encoders'][encoder], method)
            rows.append(([label], [(cell, None) for cell in (*cells, f'{gain:+.1f}', agreement)]))
    return '\n\n'.join(_table(f'What streams add to one another, `{protocol}`', header, rows, 0))


def _heading(settings: Mapping, cells: int) -> Tuple[List[str], List[_Cell]]:
    """A row that names an encoder."""
    return [f'**{settings["title"]}**'], [_BLANK] * cells


def _differences(settings: Mapping) -> str:
    """What the differences of an encoder are."""
    return f'differences from {settings["methods"][settings["baseline"]]} with their 95 % intervals'


def _title(settings: Mapping, method: str) -> str:
    """The title of a method, in italics if the others are seen against it."""
    title = settings['methods'][method]
    return f'*{title}*' if method in REFERENCES else title


def _cell(row: Optional[Mapping[str, Any]], kind: str) -> _Cell:
    """The text of an accuracy or a difference, and its number of seeds."""
    cell = row and row[kind]
    form = format_accuracy if kind == 'accuracy' else format_difference
    return form(cell), len(cell['by_seed']) if cell else None


def _difference(row: Optional[Mapping[str, Any]], is_baseline: bool) -> _Cell:
    """The text of a difference, which the baseline does not have, and its number of seeds."""
    return ('baseline', None) if row and is_baseline else _cell(row, 'difference')


def _table(
    caption: str, header: Sequence[str], rows: Sequence[Tuple[List[str], List[_Cell]]], usual: int
) -> List[str]:
    """A caption and its table, with a column n if a number of seeds is not the usual one."""
    lines = [[*labels, *(text for text, _ in cells)] for labels, cells in rows]
    counts = [[count for _, count in cells if count] for _, cells in rows]
    if {count for line in counts for count in line} - {usual}:
        header = [*header, 'n']
        for line, known in zip(lines, counts):
            line.append(_range(known) if known else '')
    return [caption, markdown_table(header, lines)] if lines else []


def _cost(rows: Sequence[Mapping[str, Any]], layout: Mapping) -> str:
    """A table of cost; where data sets differ, from the least to the most."""
    lines = []
    for encoder, settings in layout['encoders'].items():
        for method in settings['methods']:
            ours = [row for row in rows if (row['encoder'], row['method']) == (encoder, method)]
            values = [
                [factor * row[name] for row in ours if name in row] for name, (_, factor) in _COSTS.items()
            ]
            if any(values):
                lines.append([settings['title'], _title(settings, method), *map(_range, values)])
    header = ['encoder', 'method', *(title for title, _ in _COSTS.values())]
    return '**Cost**\n\n' + markdown_table(header, lines)


def _range(values: Sequence[float]) -> str:
    """The least and the most of some values in three significant digits, or a dash.

    Example:
        >>> _range([1234.5]), _range([0.01234, 0.2]), _range([])
        ('1230', '0.0123 to 0.2', '-')
    """
    if not values:
        return '-'
    ends = (
        np.format_float_positional(value, precision=3, fractional=False, trim='-')
        for value in (min(values), max(values))
    )
    return ' to '.join(dict.fromkeys(ends))


def _note(figures: Mapping[str, Any], usual: int, varied: bool) -> str:
    """What the numbers are, and where they come from; `varied` says whether some have more or fewer seeds."""
    others = ', or over as many as a column n says, of which the mean has the fewest' if varied else ''
    meaning = (
        'Top-1 accuracy (%) of all streams together where no stream is named: mean ± sample standard '
        f'deviation over n = {usual} seeds{others}. Stream `each` is the mean over the single streams; '
        'their agreement is the correlation of which samples two of them get right, 1 for all samples '
        'and 0 by chance. In the mean over data sets each counts the same. A difference, '
        'in percentage points, is of the same seeds and test samples; its 95 % interval lies between '
        f'percentiles of {figures["draws"]:,} bootstrap draws of both seeds and test samples. Rows in '
        'italics are what the methods are seen against: joints without an encoder, the encoder before any '
        'training, and the same trained with all labels. A dash, or no row, is what has not been measured.'
    )
    protocols = dict.fromkeys(row['protocol'] for row in figures['scores'])
    lines = [f'- `{name}`: {find_protocol(name).meaning}' for name in protocols]
    for name, values in figures['source'].items():
        lines.append(_DIGEST.sub(r'\1', f'- {name}: {", ".join(map(str, values))}'))
    fill = textwrap.TextWrapper(120, subsequent_indent='  ', break_on_hyphens=False).fill
    return '\n\n'.join([textwrap.fill(meaning, 120), '\n'.join(map(fill, lines))])
