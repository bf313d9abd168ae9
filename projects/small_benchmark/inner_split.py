"""Gives UTD-MHAD's training subjects folds of their own, on which the benchmark's settings are chosen.

python projects/small_benchmark/inner_split.py data/utd_mhad.pkl OUT.pkl
"""

import argparse
import pickle
from pathlib import Path

from i2md_mmaction.io import load_pickle, write_file


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('source', type=Path, help='utd_mhad.pkl')
    parser.add_argument('out', type=Path, help='the file with folds; the test subjects are not in it')
    args = parser.parse_args(argv)
    content = load_pickle(args.source)
    training = content['split']['xsub_train']
    subjects = sorted({name.split('_')[1] for name in training})  # a01_s03_t02 is subject 3
    splits = {}
    for number, subject in enumerate(subjects, start=1):
        held_out = [name for name in training if name.split('_')[1] == subject]
        splits[f'fold{number}_train'] = [name for name in training if name not in held_out]
        splits[f'fold{number}_val'] = held_out
    annotations = [sample for sample in content['annotations'] if sample['frame_dir'] in set(training)]
    write_file(args.out, pickle.dumps(dict(content, split=splits, annotations=annotations), protocol=4))
    for name, names in splits.items():
        print(f'{name}: {len(names)} sequences')
    print(f'made {args.out}')
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
