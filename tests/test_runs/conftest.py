"""A data set on which a real run takes seconds."""

import pickle
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
import torch
from mmengine.config import Config

from i2md_mmaction.datasets.demo import make_demo_dataset
from i2md_mmaction.evaluation.inference import load_model

ROOT = Path(__file__).parents[2]
SMALL = dict(
    i2md_demo=dict(
        backbone=dict(gcn_channels=4, embed_dims=16, depth=1, num_heads=2, feedforward_channels=16),
        num_neighbors=4,
    ),
    cmd_demo=dict(backbone=dict(hidden_channels=8, num_layers=2)),
    moco_demo=dict(backbone=dict(hidden_channels=8, num_layers=2)),
)


def random_checkpoint(config, path):
    """A checkpoint of random weights, as a run writes it."""
    config.model.pop('pretrained', None)
    weights = load_model(config, seed=1).state_dict()
    torch.save(dict(meta=dict(cfg=config.pretty_text), state_dict=weights), path)
    return path


@pytest.fixture(autouse=True, scope='session')
def quick_start():
    """Leaves out what every run asks of compilers and drivers at its start, a second each time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('mmengine.runner.runner.collect_env', dict)
        yield


@pytest.fixture
def tiny_dataset():
    """Writes samples of the layout 'ntu25' with one or two persons, all in split 'train'."""

    def write(path, samples):
        generator = np.random.default_rng(0)
        annotations = [
            dict(
                frame_dir=f'sample_{number}',
                label=number % 2,
                total_frames=20 + number,
                keypoint=generator.normal(size=(1 + number % 2, 20 + number, 25, 3)).astype(np.float32),
            )
            for number in range(samples)
        ]
        names = [annotation['frame_dir'] for annotation in annotations]
        path.write_bytes(pickle.dumps(dict(split=dict(train=names), annotations=annotations)))
        return path

    return write


@pytest.fixture
def annotations(tmp_path, tiny_dataset):
    """A data set of 8 samples, so that a batch of 8 is an epoch of one step."""
    return tiny_dataset(tmp_path / 'tiny.pkl', samples=8)


@pytest.fixture(scope='session')
def pretraining(tmp_path_factory):
    """A tiny pre-training config on demo skeletons of two streams, and a checkpoint of it.

    Returns:
        (folder, config file, checkpoint, annotation file).
    """
    folder = tmp_path_factory.mktemp('pretraining')
    annotations, checkpoint, config_file = (
        folder / name for name in ('demo.pkl', 'ours.pth', 'tiny_demo.py')
    )
    annotations.write_bytes(pickle.dumps(make_demo_dataset(num_classes=4, samples_per_class=10, seed=0)))
    loader = 'dict(num_workers=0, persistent_workers=False, dataset=dict(ann_file=FILE, num_classes=4))'
    config_file.write_text(
        f'_base_ = {str(ROOT / "configs/moco_demo.py")!r}\n'
        f'FILE = {str(annotations)!r}\n'
        "model = dict(streams=('joint', 'bone'), backbone=dict(hidden_channels=6), bank=dict(size=20))\n"
        f'train_dataloader = {loader}\nval_dataloader = {loader}\ntest_dataloader = {loader}\n'
    )
    config = Config.fromfile(config_file)
    model = load_model(config, seed=3)
    torch.save(dict(meta=dict(cfg=config.pretty_text), state_dict=model.state_dict()), checkpoint)
    return folder, config_file, checkpoint, annotations


@pytest.fixture(scope='session')
def small_config():
    """Makes a shipped demo config so small that a run takes seconds."""

    def make(name, annotations, work_dir, epochs, **options):
        config = Config.fromfile(ROOT / f'configs/{name}.py')
        dataset = dict(ann_file=str(annotations), split='train', num_classes=None)
        loader = dict(
            batch_size=8, num_workers=0, persistent_workers=False, pin_memory=False, dataset=dataset
        )
        config.merge_from_dict(
            dict(
                train_dataloader=loader,
                val_dataloader=loader,
                test_dataloader=loader,
                val_cfg=dict(bank=dict(split='train')),
                test_cfg=dict(bank=dict(split='train')),
                # 20 rows are no multiple of the batch of 8: the pointer wraps inside a batch.
                model={**SMALL[name], 'bank': dict(size=20)},
                train_cfg=dict(max_epochs=epochs, val_interval=1),
                default_hooks=dict(checkpoint=dict(interval=1, max_keep_ckpts=-1), logger=dict(interval=1)),
                work_dir=str(work_dir),
                randomness=dict(seed=0),
                # MMEngine adds the second; of two runs in one, the later would go on with the best score.
                experiment_name=f'{name}_{work_dir.name}_{uuid4().hex[:8]}',
                vis_backends=[dict(type='LocalVisBackend')],
                visualizer=dict(vis_backends=[dict(type='LocalVisBackend')], name=str(work_dir)),
            )
        )
        config.merge_from_dict(options)
        if name != 'moco_demo':
            config.model.distillation.topk = 10
        return config

    return make
