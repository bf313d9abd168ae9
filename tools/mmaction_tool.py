"""Runs a tool of mmaction2, such as confusion_matrix, where that would not start by itself.

Some tools import `mmaction.models` before they read a config that could import this package, and mmaction2
1.2.0 was published without a part of it (mmaction.models.localizers.drn). Here this package comes first.

python tools/mmaction_tool.py confusion_matrix CONFIG CHECKPOINT --show-path confusion.png
"""

import argparse
import runpy
import sys
from pathlib import Path

import mmaction

import i2md_mmaction  # noqa: F401, the stand-in for what is missing

TOOLS = {path.stem: path for path in sorted(Path(mmaction.__file__).parent.glob('.mim/tools/**/*.py'))}


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('tool', choices=TOOLS, metavar='TOOL', help=f'one of {", ".join(TOOLS)}')
    parser.add_argument('arguments', nargs=argparse.REMAINDER, help='what it is given; --help for its own')
    return parser.parse_args(argv)


def main(argv=None) -> int:
    args = parse_args(argv)
    sys.argv = [str(TOOLS[args.tool]), *args.arguments]
    runpy.run_path(sys.argv[0], run_name='__main__')
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
