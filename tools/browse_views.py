"""Draws a sample beside the augmented views that a config makes of it, and says how each was augmented."""

import argparse
from pathlib import Path

import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config, DictAction
from mmengine.registry import init_default_scope

from i2md_mmaction.augmentations import recording
from i2md_mmaction.evaluation.skeleton_plots import plot_views
from i2md_mmaction.parts import SKELETON, fill_in


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='any config with a SkeletonViewPreprocessor')
    parser.add_argument('--index', type=int, default=0, help='sample of the training set')
    parser.add_argument('--draws', type=int, default=3, help='draws of each training view')
    parser.add_argument('--seed', type=int, default=0, help='seed of the draws')
    parser.add_argument('--out', type=Path, default=Path('views.png'), help='PNG file to write')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, help='overrides, as in the train tool')
    return parser.parse_args(argv)


def main(argv=None) -> None:
    args = parse_args(argv)
    config = Config.fromfile(args.config)
    config.merge_from_dict(args.cfg_options or {})
    init_default_scope(config.get('default_scope', 'mmaction'))
    sample = DATASETS.build(config.train_dataloader.dataset)[args.index]
    stated = {name: config.model.get(name) for name in SKELETON}
    preprocessor = MODELS.build(fill_in(config.model.data_preprocessor, MODELS, **stated))
    keypoint, lengths = preprocessor.pad([sample['inputs']], [sample['data_samples']])
    views, notes = dict(sample=sample['inputs'].numpy()), {}
    chains = [('evaluation', preprocessor.test_view)]
    for draw in range(1, args.draws + 1):
        chains += [
            (f'view {number}, draw {draw}', view) for number, view in enumerate(preprocessor.train_views, 1)
        ]
    torch.manual_seed(args.seed)
    for name, view in chains:
        with recording() as applied:
            views[name] = view.augment(keypoint, lengths)[0][0].numpy()
        notes[name] = ' → '.join(filter(None, (one.describe() for one in applied)))
    name = sample['data_samples'].get('frame_dir', args.index)
    title = f'{name}: views of {Path(args.config).name}'
    print(plot_views(views, preprocessor.layout_name, args.out, title, notes))


if __name__ == '__main__':
    main()
