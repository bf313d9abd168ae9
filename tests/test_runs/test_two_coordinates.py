"""Every method pre-trains on joints of images, through the Runner, and is evaluated."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.runner import Runner

from i2md_mmaction.datasets import AnnotationError
from i2md_mmaction.datasets.demo import make_demo_dataset
from i2md_mmaction.datasets.demo_images import COCO, film_dataset
from i2md_mmaction.protocols import downstream_config
from i2md_mmaction.skeletons import get_layout

ROOT = Path(__file__).parents[2]
NARROW = dict(
    BiGRU=dict(hidden_channels=8, num_layers=1),
    GCNTransformer=dict(
        gcn_channels=4, embed_dims=16, depth=1, num_heads=2, feedforward_channels=16, num_frames=64
    ),
    SlimSTGCN=dict(base_channels=4, embed_dims=16),
)
METHODS = ['moco', 'cmd', 'mcl', 'crossclr_bigru', 'i2md', 'skeletonclr', 'crossclr', 'aimclr']


@pytest.fixture(scope='module')
def filmed():
    return film_dataset(make_demo_dataset(num_classes=4, samples_per_class=12))


@pytest.fixture
def make_config(tmp_path):
    """A method on a 2-D data set, for an epoch with a narrow encoder; its mining from the first step."""

    def make(method, content, **skeleton):
        file = tmp_path / 'filmed.pkl'
        file.write_bytes(pickle.dumps(content))
        small = '_small' if (ROOT / f'configs/_base_/methods/{method}_small.py').exists() else ''
        path = tmp_path / f'{method}.py'
        path.write_text(
            f'_base_ = [{str(ROOT / "configs/_base_/datasets/demo_2d.py")!r}, '
            f'{str(ROOT / f"configs/_base_/methods/{method}{small}.py")!r}]\n'
            'model = dict(bank=dict(size=40), **_base_.skeleton)\n'
        )
        config = Config.fromfile(path)
        dataset = dict(ann_file=str(file), num_classes=4, **skeleton)
        loader = dict(batch_size=12, dataset=dataset)
        backends = [dict(type='LocalVisBackend')]
        config.merge_from_dict(
            dict(
                model=dict(backbone=NARROW[config.model.backbone.type], **skeleton),
                train_dataloader=loader,
                val_dataloader=loader,
                test_dataloader=loader,
                optim_wrapper=dict(type='OptimWrapper'),
                train_cfg=dict(max_epochs=1, val_interval=1),
                default_hooks=dict(checkpoint=dict(interval=1)),
                work_dir=str(tmp_path / 'run'),
                randomness=dict(seed=0),
                experiment_name=f'{method}_{tmp_path.name}',
                vis_backends=backends,
                visualizer=dict(vis_backends=backends, name=str(tmp_path)),
            )
        )
        if 'stages' in config.default_hooks:
            config.default_hooks.stages.stages = [dict(begin=0, mining=True)]
        if 'distillation' in config.model:
            config.model.distillation.topk = 8
        if 'num_neighbors' in config.model:
            config.model.num_neighbors = 4
        return config

    return make


@pytest.mark.parametrize('method', METHODS)
def test_every_method_pre_trains_on_two_coordinates(method, filmed, make_config):
    runner = Runner.from_cfg(make_config(method, filmed))
    batch = next(iter(runner.build_dataloader(runner._train_dataloader)))
    view = runner.model.data_preprocessor(batch, training=True)['inputs'][0]
    assert view.shape[1] == 2 and view.shape[3:] == (17, 2)
    runner.train()
    assert int(runner.model.bank.filled) == 32
    assert 0 <= runner.message_hub.get_scalar('val/knn/top1').current() <= 100


def test_what_was_pre_trained_is_classified_on_two_coordinates(filmed, make_config, tmp_path):
    config = make_config('cmd', filmed)
    Runner.from_cfg(config).train()
    classifier = downstream_config(config, 'linear', ROOT / 'configs/downstream')
    assert (classifier.model.layout, classifier.model.num_coordinates) == ('coco17', 2)
    pretrained = dict(checkpoint=str(tmp_path / 'run/epoch_1.pth'), stream='joint')
    classifier.merge_from_dict(
        dict(
            model=dict(pretrained=pretrained),
            work_dir=str(tmp_path / 'linear'),
            experiment_name=f'linear_{tmp_path.name}',
            visualizer=dict(name=str(tmp_path / 'linear')),
            train_cfg=dict(max_epochs=1, val_interval=1),
        )
    )
    runner = Runner.from_cfg(classifier)
    runner.train()
    assert runner.message_hub.get_scalar('val/acc/top1').current() >= 0


def as_openpose(content):
    """The same in OpenPose's order, which has a neck, without scores."""
    layout = get_layout('openpose18')
    annotations = []
    for sample in content['annotations']:
        joints = {name: sample['keypoint'][..., index, :] for index, name in enumerate(COCO.joints)}
        joints['neck'] = (joints['left_shoulder'] + joints['right_shoulder']) / 2
        keypoint = np.stack([joints[name] for name in layout.joints], axis=-2)
        kept = {name: value for name, value in sample.items() if name != 'keypoint_score'}
        annotations.append(dict(kept, keypoint=keypoint.astype(np.float16)))
    return {**content, 'annotations': annotations}


def test_another_layout_in_half_precision_and_without_scores(filmed, make_config):
    runner = Runner.from_cfg(make_config('aimclr', as_openpose(filmed), layout='openpose18'))
    runner.train()
    assert int(runner.model.bank.filled) == 32


def test_three_coordinates_are_refused_with_both_places_to_change(make_config):
    with pytest.raises(AnnotationError, match='keypoint: 25 joints where layout .coco17. has 17'):
        Runner.from_cfg(make_config('cmd', make_demo_dataset(4, 12))).train()
    content = make_demo_dataset(4, 12)
    for sample in content['annotations']:
        sample['keypoint'] = sample['keypoint'][:, :, :17]
    with pytest.raises(AnnotationError, match='3 coordinates where 2 are expected; set `num_coordinates` of'):
        Runner.from_cfg(make_config('cmd', content)).train()
