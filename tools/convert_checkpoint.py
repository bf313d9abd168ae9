"""Converts checkpoints of the released CMD code to ours, or ours back to its layout."""

import argparse
from pathlib import Path

import torch

from i2md_mmaction.io import atomic_write
from i2md_mmaction.released_cmd import official_to_ours, ours_to_official


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('source', type=Path, help='checkpoint to read')
    parser.add_argument('target', type=Path, help='checkpoint to write')
    parser.add_argument('--to', choices=['ours', 'official'], default='ours', help='layout to write')
    return parser.parse_args(argv)


def main(argv=None) -> None:
    args = parse_args(argv)
    checkpoint = torch.load(args.source, map_location='cpu', weights_only=True)
    converted = (official_to_ours if args.to == 'ours' else ours_to_official)(checkpoint)
    with atomic_write(args.target) as file:
        torch.save(converted, file)
    print(f'{args.target}: {len(converted["state_dict"])} tensors of {args.source}, in the {args.to} layout')


if __name__ == '__main__':
    main()
