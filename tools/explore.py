"""Makes a page on which to look at embeddings: a map of the clips, which move beside their neighbours."""

import argparse
import sys
from pathlib import Path

from i2md_mmaction.apis import SkeletonEncoder
from i2md_mmaction.apis.arguments import add_computing_arguments
from i2md_mmaction.apis.clips import open_clips
from i2md_mmaction.evaluation.plots import place_by_tsne
from i2md_mmaction.explore import embed_clips, encoder_source, joints_source, make_content, write_page
from i2md_mmaction.explore.content import MAX_FRAMES

USAGE = '%(prog)s [CHECKPOINT] DATA --out FILE.html [--split NAME ...] [options]'


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, usage=USAGE)
    parser.add_argument(
        'paths',
        nargs='+',
        type=Path,
        metavar='[CHECKPOINT] DATA',
        help='checkpoint of a run, which carries its config, and annotation file or packed folder; '
        'the data alone are looked at by their pre-normalised joints',
    )
    parser.add_argument('--out', type=Path, required=True, help='page to write, .html')
    parser.add_argument('--split', nargs='+', default=[], help='splits of the file; all samples by default')
    parser.add_argument('--max-clips', type=int, default=2000, help='clips drawn of more; default: 2000')
    parser.add_argument('--k', type=int, default=5, help='neighbours of each clip; default: 5')
    parser.add_argument('--seed', type=int, default=0, help='seed of t-SNE and of the draw; default: 0')
    add_computing_arguments(
        parser, 'config of a checkpoint that carries none, or by which data alone are prepared'
    )
    args = parser.parse_args(argv)
    *checkpoint, args.data = args.paths
    if len(checkpoint) > 1:
        parser.error(f'a checkpoint and one data file are taken, got {len(args.paths)} paths')
    args.checkpoint = checkpoint[0] if checkpoint else None
    return args


def describe(args: argparse.Namespace, clips) -> list:
    """What the page says of itself, term and text."""
    shown = len(clips.names)
    drawn = '' if shown == clips.available else f' of {clips.available:,}, drawn with seed {args.seed}'
    features = (
        f'embeddings of {args.checkpoint.name}, all its streams side by side'
        if args.checkpoint
        else 'the pre-normalised joints themselves; no encoder'
    )
    return [
        ('Clips', f'{shown:,}{drawn}, from {args.data.name}' + ''.join(f' · {name}' for name in args.split)),
        ('Features', features),
        ('Neighbours', f'the {args.k} other clips of this page that are nearest by cosine'),
        ('Map', f't-SNE, seed {args.seed}; near is alike, while far apart says little'),
        ('Skeletons', f'as the features see them, pre-normalised; {MAX_FRAMES} frames of a clip at most'),
    ]


def main(argv=None) -> int:
    args = parse_args(argv)
    try:
        if args.out.suffix != '.html' or args.out.is_dir():
            raise ValueError(f'{args.out}: the page is written to a file that ends in .html')
        if args.data.suffix == '.pth':
            raise ValueError(f'{args.data} is a checkpoint; name the data after it')
        file = open_clips(args.data)
        if args.checkpoint:
            encoder = SkeletonEncoder(args.checkpoint, args.device, args.config, args.batch_size)
            source = encoder_source(encoder)
        else:
            source = joints_source(file, args.config, args.batch_size, args.device)
        clips = embed_clips(file, source, args.split, args.max_clips, args.k, args.seed)
        if len(clips.names) < clips.available:
            print(
                f'{len(clips.names):,} of {clips.available:,} clips are drawn with seed {args.seed}; '
                '--max-clips takes more'
            )
        print(f'placing {len(clips.names):,} clips by t-SNE', flush=True)
        points = place_by_tsne(clips.features, args.seed)
        title = ' · '.join([args.data.stem, *args.split])
        content = make_content(clips, points, args.k, title, describe(args, clips))
        made = write_page(content, args.out)
    except (OSError, ValueError) as error:
        print(f'error: {error}', file=sys.stderr)
        return 2
    suspects, size = len(content['suspects']), made.stat().st_size / 1e6
    print(f'made {made}: {len(clips.names):,} clips, {suspects} likely label errors, {size:.1f} MB')
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
