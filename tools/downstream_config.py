"""Writes the whole config of a protocol for a pre-training config, as ``mim train`` takes it."""

import argparse
from pathlib import Path

from mmengine.config import DictAction

import i2md_mmaction  # noqa: F401, before mmaction.models
from i2md_mmaction.io import write_file
from i2md_mmaction.protocols import downstream_config

DOWNSTREAM = Path(__file__).resolve().parents[1] / 'configs' / 'downstream'


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('protocol', help='a config of configs/downstream, such as linear or semi_10')
    parser.add_argument('config', type=Path, help='pre-training config; of the target data set for transfer')
    parser.add_argument('checkpoint', help="pre-training checkpoint, or 'random' for the floor")
    parser.add_argument('--stream', default='joint', help='stream to classify by; default: joint')
    parser.add_argument('--out', type=Path, help='file to write; work_dirs/PROTOCOL_NAME.py by default')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, help='other settings, as key=value')
    return parser.parse_args(argv)


def main(argv=None) -> None:
    args = parse_args(argv)
    try:
        config = downstream_config(args.config, args.protocol, DOWNSTREAM)
    except (OSError, ValueError) as error:
        raise SystemExit(f'error: {error}') from error
    pretrained = None if args.checkpoint == 'random' else dict(checkpoint=args.checkpoint)
    config.model.update(modality=args.stream, pretrained=pretrained)
    config.merge_from_dict(args.cfg_options or {})
    out = args.out or Path(f'{config.work_dir}.py')
    print(f'made {write_file(out, config.pretty_text)}')
    print(f'train it: mim train mmaction2 {out} --gpus 1')


if __name__ == '__main__':
    main()
