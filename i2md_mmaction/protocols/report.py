"""The report of an evaluation that people read: a table of its protocols, and pictures."""

import json
import time
from pathlib import Path
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np
import torch

from ..io import write_file
from .evaluation import Evaluation
from .pictures import classes_of, draw_classes, draw_embeddings, draw_run, load_scores, name_of
from .table import ENSEMBLE, find_protocol


def mean_of(values: Sequence[float]) -> Dict:
    """Mean of several runs, with their spread (sample standard deviation).

    Example:
        >>> mean_of([1.0, 3.0])
        {'mean': 2.0, 'spread': 1.4142135623730951, 'runs': 2}
    """
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return dict(mean=float(np.mean(values)), spread=spread, runs=len(values))


def _knn_rows(result: Dict) -> List[Dict]:
    """A row for each k, and for each way of voting."""
    rows = []
    for votes in result['votes']:
        streams = {name[len('top1_') :] or ENSEMBLE: value for name, value in votes['accuracies'].items()}
        cells = {name: dict(last=mean_of([value])) for name, value in streams.items()}
        if len(cells) < 3:
            cells.pop(ENSEMBLE, None)
        recipe = f'k = {votes["k"]}'
        if votes['temperature'] is not None:
            recipe += f', votes weighted at temperature {votes["temperature"]:g}'
        row = dict(protocol='knn', recipe=recipe, k=votes['k'], temperature=votes['temperature'], cells=cells)
        rows.append(row)
    return rows


def summarize(
    results: Sequence[Dict],
    load_scores: Callable[[str], Tuple[np.ndarray, np.ndarray]],
    weights: Optional[Mapping[str, float]] = None,
) -> List[Dict]:
    """A row of the table for each finished protocol.

    Args:
        results: What :meth:`~i2md_mmaction.protocols.Evaluation.run` returned.
        load_scores: Gives scores (S, classes) and labels (S,) kept under a name.
        weights: Stream -> weight in ensembles; those of the protocols by default.

    Returns:
        Rows ``dict(protocol, recipe, cells)``; a cell of a stream, or of
        ``'ensemble'``, holds the accuracy (percent) ``last`` and, for a stream,
        ``best`` of all evaluations, each as ``dict(mean, spread, runs)``.
    """
    finished = [result for result in results if result['status'] == 'finished']
    rows = [row for result in finished if result['protocol'] == 'knn' for row in _knn_rows(result)]
    classified = [result for result in finished if result['protocol'] != 'knn']
    for protocol in dict.fromkeys(result['protocol'] for result in classified):
        group = [result for result in classified if result['protocol'] == protocol]
        cells, runs = {}, {}
        for result in group:
            runs.setdefault(result['run'], {})[result['stream']] = result['scores']
        for stream in dict.fromkeys(result['stream'] for result in group):
            ours = [result for result in group if result['stream'] == stream]
            cells[stream] = {key: mean_of([result[key] for result in ours]) for key in ('last', 'best')}
        fused = []
        for names in (names for names in runs.values() if len(names) == len(cells) > 1):
            loaded = {stream: load_scores(name) for stream, name in names.items()}
            labels = next(iter(loaded.values()))[1]
            each = {stream: pair[0] for stream, pair in loaded.items()}
            scores = find_protocol(protocol).fuse(each, weights)
            fused.append(100 * float((scores.argmax(axis=1) == labels).mean()))
        if fused:
            cells[ENSEMBLE] = dict(last=mean_of(fused))
        rows.append(dict(protocol=protocol, recipe=group[0]['recipe'], cells=cells))
    return rows


def _number(value: Optional[Dict]) -> str:
    """A mean with its spread, or a dash."""
    if value is None:
        return '-'
    spread = '' if value['spread'] is None else f' ± {value["spread"]:.1f}'
    return f'{value["mean"]:.1f}{spread}'


def format_cell(cell: Optional[Dict]) -> str:
    """Last accuracy, and the best one in brackets."""
    if cell is None:
        return '-'
    return _number(cell['last']) + (f' ({_number(cell["best"])})' if 'best' in cell else '')


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table.

    Example:
        >>> markdown_table(['a', 'b'], [['1', '2']]).splitlines()
        ['| a | b |', '|---|---|', '| 1 | 2 |']
    """
    lines = [header, ['---'] * len(header), *rows]
    texts = ['| ' + ' | '.join(line) + ' |' for line in lines]
    texts[1] = texts[1].replace(' ', '')
    return '\n'.join(texts)


def to_markdown(report: Dict) -> str:
    """The report as a page.

    Args:
        report: As written to ``report.json``: ``title``, ``dataset``,
            ``checkpoint``, ``config``, ``rows``, ``failed`` (unit -> error),
            ``pictures`` (caption -> file name) and ``notes``.
    """
    columns = list(dict.fromkeys(name for row in report['rows'] for name in row['cells']))
    columns = [name for name in columns if name != ENSEMBLE] + [ENSEMBLE] * (ENSEMBLE in columns)
    table = markdown_table(
        ['protocol', 'recipe', *columns],
        [
            [row['protocol'], row['recipe'], *(format_cell(row['cells'].get(name)) for name in columns)]
            for row in report['rows']
        ],
    )
    used = dict.fromkeys(row['protocol'] for row in report['rows'])
    parts = [
        f'# {report["title"]}',
        '\n'.join(f'- {name}: `{report[name]}`' for name in ('dataset', 'config', 'checkpoint')),
        'Top-1 accuracy (%) after the last epoch, in brackets the best of all evaluations; ± is the sample '
        'standard deviation over the runs of several seeds.',
        table if report['rows'] else 'No protocol has finished.',
        '\n'.join(f'- **{protocol}**: {find_protocol(protocol).meaning}' for protocol in used),
        *report['notes'],
    ]
    if report['failed']:
        lines = [f'- `{name}`: {error}' for name, error in report['failed'].items()]
        parts += ['## Failed', 'They are tried again by the next call.', '\n'.join(lines)]
    parts += [f'![{caption}]({name})' for caption, name in report['pictures'].items()]
    return '\n\n'.join(filter(None, parts)) + '\n'


def write_report(report: Dict, folder: Union[str, Path]) -> Tuple[Path, Path]:
    """Writes ``report.json`` and ``report.md``, and returns their paths."""
    paths = Path(folder, 'report.json'), Path(folder, 'report.md')
    for path, text in zip(paths, (json.dumps(report, indent=1), to_markdown(report))):
        write_file(path, text)
    return paths


def report_evaluation(
    evaluation: Evaluation, results: Sequence[Dict], work_dir: Union[str, Path, None] = None
) -> Tuple[Dict, List[Path]]:
    """Writes ``report.md``, ``report.json`` and the pictures of an evaluation.

    A picture that cannot be drawn is named among the failures.

    Args:
        evaluation: The evaluation.
        results: Results of its units.
        work_dir: Folder of the pre-training's logs; that of the checkpoint by
            default.

    Returns:
        The report, and the files written.
    """
    failed = {result['unit']: result['error'] for result in results if result['status'] == 'failed'}
    if work_dir is None and evaluation.checkpoint is not None:
        work_dir = evaluation.checkpoint.parent
    pictures: Dict[str, str] = {}
    try:
        names = classes_of(evaluation.dataloaders['query']['dataset'])
        pictures.update(draw_embeddings(evaluation, names))
        pictures.update(draw_classes(evaluation, results, names))
        pictures.update(draw_run(evaluation, work_dir))
    except Exception as error:
        failed['pictures'] = f'{type(error).__name__}: {error}'
    notes = []
    if evaluation.epochs:
        notes.append(
            f'**Shortened to {evaluation.epochs} epochs (`--epochs`): not comparable with the papers.**'
        )
    if any(find_protocol(result['protocol']).repeated for result in results):
        notes.append(
            f'Labelled samples of `semi_*` are drawn by `balance={evaluation.balance}`; each run keeps '
            'its list in `runs/*/subset.json`.'
        )
    for dropped in (result['dropped'] for result in results if result.get('dropped')):
        notes.append(f'The bank has fewer samples than k = {", ".join(map(str, dropped))}, left out here.')
    if evaluation.weights:
        weights = ', '.join(f'{name} {weight:g}' for name, weight in evaluation.weights.items())
        notes.append(f'Every ensemble weighs its streams: {weights}.')
    report = dict(
        title=f'Evaluation of {evaluation.config.model.type} on {name_of(evaluation)}',
        dataset=name_of(evaluation),
        checkpoint=str(evaluation.checkpoint or 'none: a random encoder'),
        torch=torch.__version__,
        written=time.strftime('%Y-%m-%d %H:%M:%S'),
        config=str(evaluation.config_file),
        sha256=evaluation.identity['sha256'],
        rows=summarize(results, lambda name: load_scores(evaluation, name), evaluation.weights),
        failed=failed,
        pictures=pictures,
        notes=notes,
    )
    paths = write_report(report, evaluation.out)
    return report, [*paths, *(evaluation.out / name for name in pictures.values())]
