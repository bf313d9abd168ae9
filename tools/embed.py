"""Embeds the skeletons of a file by a pre-trained encoder: .npz, .csv, or TensorBoard's projector."""

import argparse
import sys

from i2md_mmaction.apis import SkeletonEncoder, write_embeddings
from i2md_mmaction.apis.arguments import add_clip_arguments, clip_arguments, model_arguments


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add_clip_arguments(parser)
    parser.add_argument('--streams', nargs='+', help='streams to embed; all by default')
    return parser.parse_args(argv)


def main(argv=None) -> int:
    args = parse_args(argv)
    try:
        encoder = SkeletonEncoder(**model_arguments(args))
        found = encoder.encode(**clip_arguments(args), streams=args.streams)
        made = write_embeddings(found, args.out)
    except (OSError, ValueError) as error:
        print(f'error: {error}', file=sys.stderr)
        return 2
    sizes = ', '.join(f'{name} {values.shape[1]}' for name, values in found.streams.items())
    print(f'made {made}: {len(found.names)} rows; {sizes}')
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
