"""Exports one stream of an encoder, or a classifier, to a file that needs nothing of this package to run."""

import argparse
import importlib.util
import sys
from pathlib import Path

from i2md_mmaction.apis import ExportError, export_stream, load_inferencer

#: What ONNX needs beside torch.
ONNX = ('onnx', 'onnxruntime', 'onnxscript')


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('checkpoint', type=Path, help='checkpoint of a run, which carries its config')
    parser.add_argument('--stream', help='stream of an encoder; a classifier has one alone')
    parser.add_argument('--format', choices=('pt2', 'onnx'), default='pt2', help='format; default: pt2')
    parser.add_argument('--out', type=Path, help='file to write; beside the checkpoint by default')
    parser.add_argument('--config', type=Path, help='config of a checkpoint that carries none')
    parser.add_argument(
        '--clips', type=Path, help="annotation file of real clips to compare on; the config's by default"
    )
    return parser.parse_args(argv)


def main(argv=None) -> int:
    args = parse_args(argv)
    missing = [name for name in ONNX if args.format == 'onnx' and importlib.util.find_spec(name) is None]
    try:
        if missing:
            raise ValueError(f'{", ".join(missing)} not installed: pip install "i2md_mmaction[export]"')
        model = load_inferencer(args.checkpoint, args.config, device='cpu')
        clips = args.clips or model.test_file
        if not Path(clips).exists():
            raise ValueError(f'{clips} is not there; give a file of real clips to compare on, --clips FILE')
        suffix = f'_{args.stream}' if args.stream else ''
        out = args.out or args.checkpoint.with_name(f'{args.checkpoint.stem}{suffix}.{args.format}')
        made = export_stream(model, out, clips, args.stream)
    except (OSError, ValueError, ExportError) as error:
        print(f'error: {error}', file=sys.stderr)
        return 2
    for step in made.left_out:
        print(f'left out: {step}; give the graph what has gone through it')
    found = ', '.join(f'{difference:.1e} on {name}' for name, difference in made.differences.items())
    print(f'made {made.path}: differs from the model by {found}')
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
