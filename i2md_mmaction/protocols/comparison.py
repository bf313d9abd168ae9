"""Reports beside one another and beside what the papers publish."""

import json
from pathlib import Path
from typing import Dict, List, Tuple, Union

from .report import format_cell, markdown_table

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
            # Other votes than the papers' are a protocol of their own.
            plain = row.get('k', 1) == 1 and not row.get('temperature')
            protocol = row['protocol'] if plain else f'knn, {row["recipe"]}'
            for stream, cell in row['cells'].items():
                cells.setdefault((report['dataset'], protocol, stream), {})[name] = format_cell(cell)
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
