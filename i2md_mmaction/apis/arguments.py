"""What the tools that embed, classify and retrieve clips are told on their command lines."""

import argparse
from pathlib import Path
from typing import Any, Dict


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the checkpoint and how it is run to a parser."""
    parser.add_argument('checkpoint', type=Path, help='checkpoint of a run, which carries its config')
    parser.add_argument('--num-workers', type=int, default=0, help='processes that prepare clips; default: 0')
    add_computing_arguments(parser)


def add_computing_arguments(
    parser: argparse.ArgumentParser, config_help: str = 'config of a checkpoint that carries none'
) -> None:
    """Adds the config, and how and where features are computed."""
    parser.add_argument('--config', type=Path, help=config_help)
    parser.add_argument('--batch-size', type=int, default=64, help='clips at a time; default: 64')
    parser.add_argument('--device', help='where to compute; an accelerator, if there is one')


def add_clip_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the checkpoint, the clips and how they are read to a parser."""
    add_model_arguments(parser)
    parser.add_argument('data', type=Path, help='annotation file, or packed folder')
    parser.add_argument('--out', type=Path, required=True, help='what to write; its suffix is the format')
    parser.add_argument('--split', help='split of the annotation file; all samples by default')
    parser.add_argument('--window', type=int, help='cut into windows of so many frames, a row each')
    parser.add_argument('--stride', type=int, default=16, help='frames from window to window; default: 16')


def model_arguments(args: argparse.Namespace) -> Dict[str, Any]:
    """Arguments of an :class:`.Inferencer`."""
    return {
        name: getattr(args, name) for name in ('checkpoint', 'device', 'config', 'batch_size', 'num_workers')
    }


def clip_arguments(args: argparse.Namespace) -> Dict[str, Any]:
    """Arguments of its call."""
    return {name: getattr(args, name) for name in ('data', 'split', 'window', 'stride')}
