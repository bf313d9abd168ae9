"""Several reports as one: the mean over seeds or folds, and how far they are apart."""

from typing import Dict, List

from .report import markdown_table, mean_of

#: What makes rows of two reports the same measurement.
_SAME = ('protocol', 'recipe', 'k', 'temperature')


def summarize_reports(reports: Dict[str, Dict]) -> Dict:
    """One report of several, which are of other seeds or folds of one config.

    Args:
        reports: Name -> content of its ``report.json``.

    Returns:
        A report, as :func:`.write_report` takes it. A cell is the mean over the
        reports, each of which counts once, whatever the number of its runs; a
        protocol that some report lacks is named among the failures and left
        out, since a mean over the rest would be of something else.

    Raises:
        ValueError: If the reports are of different methods.
    """
    whole = list(reports.values())
    titles = dict.fromkeys(report['title'].split(' on ')[0] for report in whole)
    if len(titles) > 1:
        raise ValueError(
            f'a mean is of runs of one method, not of {list(titles)}; compare reports by --compare'
        )
    groups: Dict[tuple, Dict[str, Dict]] = {}
    for name, report in reports.items():
        for row in report['rows']:
            groups.setdefault(tuple(row.get(key) for key in _SAME), {})[name] = row
    rows, failed = [], {}
    for key, found in groups.items():
        lacking = [name for name in reports if name not in found]
        if lacking:
            failed[f'{key[0]}, {key[1]}'] = f'left out, since {", ".join(lacking)} has not finished it'
            continue
        rows.append({**next(iter(found.values())), 'cells': _cells(list(found.values()))})
    datasets = list(dict.fromkeys(report['dataset'] for report in whole))
    return dict(
        title=f'{next(iter(titles))}, {len(whole)} runs',
        dataset=', '.join(datasets),
        config=', '.join(dict.fromkeys(report['config'] for report in whole)),
        checkpoint=', '.join(dict.fromkeys(report['checkpoint'] for report in whole)),
        torch=whole[0]['torch'],
        rows=rows,
        failed=failed,
        pictures={},
        notes=[
            f'Means are over {len(whole)} checkpoints, each counting once, and ± is their spread.',
            _each(reports, rows),
        ],
    )


def _cells(rows: List[Dict]) -> Dict[str, Dict]:
    """The cells that all rows have, each a mean over them."""
    common = [name for name in rows[0]['cells'] if all(name in row['cells'] for row in rows)]
    return {
        name: {
            key: mean_of([row['cells'][name][key]['mean'] for row in rows]) for key in rows[0]['cells'][name]
        }
        for name in common
    }


def _each(reports: Dict[str, Dict], rows: List[Dict]) -> str:
    """A table of what each checkpoint reached with all of its streams."""
    keys = [tuple(row.get(key) for key in _SAME) for row in rows]
    lines = []
    for name, report in reports.items():
        found = {tuple(row.get(key) for key in _SAME): row['cells'] for row in report['rows']}
        values = [list(found[key].values())[-1]['last']['mean'] for key in keys]
        lines.append([f'[{name}]({name}/report.md)', *(f'{value:.1f}' for value in values)])
    header = ['checkpoint', *(f'{key[0]}, {key[1]}' if key[2] else key[0] for key in keys)]
    return f'The last column of each, by checkpoint:\n\n{markdown_table(header, lines)}'
