#!/usr/bin/env python
"""Converts downloaded skeleton datasets into mmaction2's pickle, and pickles into the packed form.

python tools/data/convert.py ntu60 nturgb+d_skeletons/ --out data/ntu60.pkl
python tools/data/convert.py arrays ntu60_agcn/xsub --prenormalized agcn --out data/ntu60_xsub.pkl
python tools/data/convert.py pack data/ntu60.pkl data/ntu60
"""

import argparse
import os
import pickle
import sys
from functools import partial
from pathlib import Path

from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from i2md_mmaction.datasets import SkeletonPreNormalize, load_annotations, packing, readers
from i2md_mmaction.datasets.readers.console import print_summary, track_files


def parse_args(argv=None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        epilog='A killed run leaves no half file; the same command again goes on where it was.',
    )
    commands = parser.add_subparsers(dest='command', required=True)
    output = argparse.ArgumentParser(add_help=False)
    output.add_argument(
        '--out', type=Path, required=True, help='pickle to write; NAME.summary.json goes beside it'
    )
    common = argparse.ArgumentParser(add_help=False, parents=[output])
    common.add_argument('--workers', type=int, default=os.cpu_count(), help='processes (default: all cores)')
    common.add_argument(
        '--prenormalize',
        action='store_true',
        help='write pre-normalised skeletons, and note it, so that no pipeline does it again',
    )
    for name, listed in (('ntu60', 302), ('ntu120', 535)):
        command = commands.add_parser(name, parents=[common], help=f'NTU RGB+D {name[3:]}, .skeleton files')
        command.add_argument('folders', type=Path, nargs='+', help='extracted folders, searched at any depth')
        command.add_argument(
            '--missing',
            help=f'samples to leave out: a file with a name a line, or none; by default the {listed} whose '
            'skeletons are missing or incomplete, as published by the authors of the data set',
        )
        command.add_argument(
            '--denoise',
            action='store_true',
            help="drop tracked bodies that are no persons, by the three rules of CTR-GCN's data preparation",
        )
        command.set_defaults(source=_ntu)
    for name in ('pku1', 'pku2'):
        command = commands.add_parser(name, parents=[common], help=f'PKU-MMD {"I" * int(name[3:])}')
        command.add_argument(
            'root', type=Path, help='folder of the dataset; the paths below are relative to it'
        )
        command.add_argument('--skeletons', help='folder of recordings (default: found as *skeleton*)')
        command.add_argument('--labels', help='folder of label files (default: found as *label*)')
        command.add_argument('--xsub', help='cross-subject split file (default: found as cross*sub*.txt)')
        command.add_argument('--xview', help='cross-view split file (default: found as cross*view*.txt)')
        command.set_defaults(source=_pku)
    command = commands.add_parser('nwucla', parents=[common], help='Northwestern-UCLA, JSON files')
    command.add_argument(
        'folder', type=Path, help='folder of aAA_sSS_eEE_vVV.json files, searched at any depth'
    )
    command.set_defaults(source=lambda args: readers.NWUCLA(args.folder))

    _add_arrays(commands, output)
    command = commands.add_parser('pack', help='pickle to the safe, memory-mapped form')
    command.add_argument(
        'pickle', type=Path, help='mmaction2 pickle; only plain values and arrays are loaded'
    )
    command.add_argument('out', type=Path, help='folder to write')
    return parser.parse_args(argv)


def _add_arrays(commands, output: argparse.ArgumentParser) -> None:
    """The command that takes what other preparations left."""
    command = commands.add_parser('arrays', parents=[output], help="other preparations' .npy or .npz files")
    command.add_argument(
        'path',
        type=Path,
        help='folder of train_ and val_data_joint.npy, position.npy or data.npy, (N, C, T, V, M), with '
        'label.pkl or label.npy; or .npz file of x_train, (N, T, M*V*C), y_train, x_test and y_test',
    )
    command.add_argument(
        '--split', help='name of the splits, such as xsub (default: read from the name of PATH)'
    )
    command.add_argument('--layout', default='ntu25', help='layout of the joints (default: %(default)s)')
    command.add_argument(
        '--prenormalized',
        choices=sorted(readers.PRENORMALIZED),
        help='preparation that moved and turned the joints; it is noted, so that no pipeline does it again',
    )


def _ntu(args: argparse.Namespace) -> readers.NTU:
    if args.missing == 'none':
        missing = frozenset()
    else:
        missing = readers.read_missing_list(args.missing) if args.missing else None
    return getattr(readers, args.command)(args.folders, missing, args.denoise)


def _pku(args: argparse.Namespace) -> readers.PKU:
    return readers.pku(args.root, args.skeletons, args.labels, xsub=args.xsub, xview=args.xview)


def _convert_arrays(args: argparse.Namespace) -> readers.Summary:
    return readers.convert_arrays(
        args.path,
        args.out,
        split=args.split,
        layout=args.layout,
        prenormalized=args.prenormalized,
        track=partial(track_files, what='samples'),
    )


def _convert_files(args: argparse.Namespace) -> readers.Summary:
    layout = 'kinect20' if args.command == 'nwucla' else 'ntu25'
    normalize = SkeletonPreNormalize(layout) if args.prenormalize else None
    return readers.convert_to_pickle(
        args.source(args), args.out, workers=args.workers, track=track_files, normalize=normalize
    )


def main(argv=None) -> int:
    """Runs one command; returns the exit status."""
    args, console = parse_args(argv), Console(highlight=False, markup=False)
    try:
        if args.command == 'pack':
            packing.check_target(args.out)  # before the pickle is read, which may take minutes
            packing.write_packed(load_annotations(args.pickle), args.out)
            console.print(f'wrote {args.out}')
            return 0
        summary = _convert_arrays(args) if args.command == 'arrays' else _convert_files(args)
    except (OSError, ValueError, pickle.UnpicklingError) as error:
        Console(stderr=True, markup=False).print(f'error: {error}', soft_wrap=True)
        return 1
    print_summary(summary, console)
    console.print(f'wrote {args.out}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
