"""Names the actions in a file of skeletons by a trained classifier: .csv, or all probabilities as .npz."""

import argparse
import sys

from i2md_mmaction.apis import SkeletonClassifierInferencer, write_predictions
from i2md_mmaction.apis.arguments import add_clip_arguments, clip_arguments, model_arguments


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add_clip_arguments(parser)
    parser.add_argument('--top', type=int, default=5, help='classes of each clip in the CSV file; default: 5')
    return parser.parse_args(argv)


def main(argv=None) -> int:
    args = parse_args(argv)
    try:
        classifier = SkeletonClassifierInferencer(**model_arguments(args))
        found = classifier.classify(**clip_arguments(args))
        made = write_predictions(found, args.out, args.top)
    except (OSError, ValueError) as error:
        print(f'error: {error}', file=sys.stderr)
        return 2
    print(f'made {made}: {len(found.names)} rows, {len(found.classes)} classes')
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
