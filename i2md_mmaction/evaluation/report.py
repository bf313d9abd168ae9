"""Reports that people read: tables of protocols, and reports beside published numbers."""

import json
from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np

from ..io import write_file
from .ensemble import AIMCLR_WEIGHTS, fuse_scores

#: Numbers of the papers, each with paper and table.
PUBLISHED = Path(__file__).with_name('published.json')
#: Methods that reports are compared with; the other rows of the file are ablations.
COMPARED = (
    'I2MD',
    'CMD',
    'AimCLR',
    'CrosSCLR',
    'CrosSCLR-B',
    'SkeletonCLR',
    'MoCo v2, BiGRU',
    'MoCo v2, GCN-Transformer',
    'MCL, BiGRU',
)
ENSEMBLE = 'ensemble'
#: What each protocol is, in a line.
MEANINGS = dict(
    knn='cosine k-NN of frozen features, evaluation view of both splits; ensemble: features joined',
    linear='linear classifier on the frozen encoder, training views cropped at random',
    linear_aimclr="AimCLR's linear evaluation: no augmentation; ensemble: logits 0.6 J + 0.4 M + 0.6 B",
    linear_cached="linear's recipe on features embedded once, NO augmentation: not the papers' protocol",
    finetune='encoder and classifier trained together',
    transfer='encoder and classifier trained together on another data set than the encoder came from',
)


def meaning(protocol: str) -> str:
    """What a protocol is, in a line."""
    if protocol.startswith('semi_'):
        return f'fine-tuned with the labels of {protocol[5:]} % of the training samples'
    return MEANINGS.get(protocol, 'see its config')


def _mean(values: Sequence[float]) -> Dict:
    """Mean of several runs, with their spread (sample standard deviation)."""
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return dict(mean=float(np.mean(values)), spread=spread, runs=len(values))


def _knn_rows(result: Dict) -> List[Dict]:
    """A row for each k."""
    rows = []
    for k, found in result['accuracies'].items():
        streams = {name[len('top1_') :] or ENSEMBLE: value for name, value in found.items()}
        cells = {name: dict(last=_mean([value])) for name, value in streams.items()}
        if len(cells) < 3:
            cells.pop(ENSEMBLE, None)
        rows.append(dict(protocol='knn', recipe=f'k = {k}', k=int(k), cells=cells))
    return rows


def ensemble_scores(protocol: str, scores: Dict[str, np.ndarray]) -> np.ndarray:
    """Fuses the logits of the streams: by AimCLR's weights in its protocol, else evenly."""
    weights = AIMCLR_WEIGHTS if protocol == 'linear_aimclr' else None
    return fuse_scores(scores, weights)


def summarize(
    results: Sequence[Dict], load_scores: Callable[[str], Tuple[np.ndarray, np.ndarray]]
) -> List[Dict]:
    """A row of the table for each finished protocol.

    Args:
        results: What :meth:`~i2md_mmaction.engine.Evaluation.run` returned.
        load_scores: Gives scores (S, classes) and labels (S,) kept under a name.

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
            cells[stream] = {key: _mean([result[key] for result in ours]) for key in ('last', 'best')}
        fused = []
        for names in (names for names in runs.values() if len(names) == len(cells) > 1):
            loaded = {stream: load_scores(name) for stream, name in names.items()}
            labels = next(iter(loaded.values()))[1]
            scores = ensemble_scores(protocol, {stream: pair[0] for stream, pair in loaded.items()})
            fused.append(100 * float((scores.argmax(axis=1) == labels).mean()))
        if fused:
            cells[ENSEMBLE] = dict(last=_mean(fused))
        rows.append(dict(protocol=protocol, recipe=group[0]['recipe'], cells=cells))
    return rows


def _number(value: Optional[Dict]) -> str:
    """A mean with its spread, or a dash."""
    if value is None:
        return '-'
    spread = '' if value['spread'] is None else f' ± {value["spread"]:.1f}'
    return f'{value["mean"]:.1f}{spread}'


def _cell(cell: Optional[Dict]) -> str:
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
            [row['protocol'], row['recipe'], *(_cell(row['cells'].get(name)) for name in columns)]
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
        '\n'.join(f'- **{protocol}**: {meaning(protocol)}' for protocol in used),
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


def compare_reports(reports: Dict[str, Dict], published: Union[str, Path] = PUBLISHED) -> str:
    """Several reports side by side with what the papers publish, as a Markdown table.

    The distance to the papers is seen only where data set, protocol and stream
    are the same; the papers' numbers of other data sets are left out. Where two
    papers differ in a number, both are given.

    Args:
        reports: Name of a column -> content of its ``report.json``.
        published: Data file of the papers' numbers.

    Returns:
        A table of (data set, protocol, stream) by report and by method, each
        published number with paper and table, and the papers.
    """
    data = json.loads(Path(published).read_text(encoding='utf-8'))
    cells: Dict[Tuple[str, str, str], Dict[str, str]] = {}
    for name, report in reports.items():
        for row in report['rows']:
            protocol = f'knn, k = {row["k"]}' if row.get('k', 1) != 1 else row['protocol']
            for stream, cell in row['cells'].items():
                cells.setdefault((report['dataset'], protocol, stream), {})[name] = _cell(cell)
    numbers: Dict[Tuple[Tuple[str, str, str], str], Dict[float, List[str]]] = {}
    for row in data['rows']:
        # AimCLR's recipe is what its paper's rows were measured with.
        protocols = [row['protocol']] + ['linear_aimclr'] * (row['protocol'] == 'linear')
        for key in ((row['dataset'], protocol, row['stream']) for protocol in protocols):
            if key in cells and row['method'] in COMPARED:
                places = numbers.setdefault((key, row['method']), {}).setdefault(row['accuracy'], [])
                places.append(f'{row["source"]} {row["table"]}')
    for (key, method), values in numbers.items():
        said = [f'{value:.1f} [{", ".join(dict.fromkeys(places))}]' for value, places in values.items()]
        cells[key][f'{method} (paper)'] = '; '.join(said)
    methods = [f'{method} (paper)' for method in COMPARED]
    columns = [*reports, *(name for name in methods if any(name in found for found in cells.values()))]
    table = markdown_table(
        ['data set', 'protocol', 'stream', *columns],
        [[*key, *(found.get(name, '-') for name in columns)] for key, found in cells.items()],
    )
    if not numbers:
        return f'{table}\n\nNo published number is kept for these data sets and protocols.\n'
    note = 'In brackets: the paper and its table that a number was transcribed from.'
    places = [place for values in numbers.values() for cited in values.values() for place in cited]
    cited = {place.rsplit(' ', 1)[0] for place in places}
    sources = [f'- {name}: {text}' for name, text in data['sources'].items() if name in cited]
    return '\n\n'.join((table, note, '\n'.join(sources))) + '\n'
