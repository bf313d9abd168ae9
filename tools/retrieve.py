"""Finds the clips that are nearest to one clip for an encoder: a table, and a picture or an animation."""

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from i2md_mmaction.apis import Retrieval, SkeletonEncoder, retrieve
from i2md_mmaction.apis.arguments import add_model_arguments, model_arguments
from i2md_mmaction.evaluation.retrieval_plots import check_picture


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add_model_arguments(parser)
    parser.add_argument(
        '--data', type=Path, required=True, help='annotation file, or packed folder, to search'
    )
    parser.add_argument('--query', required=True, help='name of a clip of DATA, or a file of one: .npy, .pkl')
    parser.add_argument('--k', type=int, default=5, help='neighbours; default: 5')
    parser.add_argument('--split', help='split of DATA to search; all of it by default')
    parser.add_argument('--streams', nargs='+', help='streams whose cosines are averaged; all by default')
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('retrieval.png'),
        help='picture to write, .png, .jpg, .svg or .pdf; .gif or .mp4 moves. Default: retrieval.png',
    )
    return parser.parse_args(argv)


def table(found: Retrieval) -> Table:
    """The neighbours, a row each."""
    said = f' ({found.query.class_name})' if found.query.class_name else ''
    made = Table(title=f'nearest to {found.query.name}{said}', title_justify='left')
    for column in ('', 'clip', 'class', 'cosine', ''):
        made.add_column(column, justify='right' if column == 'cosine' else 'left')
    marks = {True: 'same class', False: 'another class', None: ''}
    for rank, clip in enumerate(found.neighbors, start=1):
        row = (str(rank), clip.name, clip.class_name, f'{clip.similarity:.4f}')
        made.add_row(*row, marks[clip.agrees(found.query)])
    return made


def main(argv=None) -> int:
    args = parse_args(argv)
    try:
        check_picture(args.out)
        encoder = SkeletonEncoder(**model_arguments(args))
        found = retrieve(encoder, args.data, args.query, args.k, args.split, args.streams)
        streams = ' + '.join(args.streams or encoder.streams)
        made = found.draw(
            args.out, f'Nearest clips by cosine: {args.checkpoint.resolve().parent.name}, {streams}'
        )
    except (OSError, ValueError) as error:
        print(f'error: {error}', file=sys.stderr)
        return 2
    console = Console()
    console.print(table(found))
    console.print(f'made {made}', soft_wrap=True)
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
