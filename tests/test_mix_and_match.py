"""Parts of this package in mmaction2's configs, mmaction2's networks in ours, and neither's runner."""

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from sklearn.neighbors import KNeighborsClassifier

from i2md_mmaction.datasets.demo import make_demo_dataset
from projects.mix_and_match import plain_torch

ROOT = Path(__file__).parents[1]
PROJECT = ROOT / 'projects/mix_and_match'
#: mmaction2's networks, as small as they get.
NETWORKS = dict(
    stgcn=dict(type='STGCN', graph_cfg=dict(layout='nturgb+d', mode='stgcn_spatial')),
    aagcn=dict(type='AAGCN', graph_cfg=dict(layout='nturgb+d', mode='spatial')),
    stgcnpp=dict(Config.fromfile(PROJECT / 'cmd_stgcnpp_ntu60.py').model.backbone),
)
SMALL = dict(base_channels=6, num_stages=2, inflate_stages=[2], down_stages=[2])


@pytest.fixture(scope='module')
def demo(tmp_path_factory):
    content = make_demo_dataset(num_classes=3, samples_per_class=8, seed=0)
    names = [annotation['frame_dir'] for annotation in content['annotations']]
    content['split'] = dict(xsub_train=names[::2], xsub_val=names[1::2])
    path = tmp_path_factory.mktemp('demo') / 'demo.pkl'
    path.write_bytes(pickle.dumps(content))
    return path


def small(name, demo, work_dir):
    """A shipped config of a recognizer of mmaction2, for two epochs on demo data."""
    config = Config.fromfile(PROJECT / f'{name}.py')
    init_default_scope('mmaction')
    for part in ('train', 'val', 'test'):
        loader = config[f'{part}_dataloader']
        loader.update(batch_size=4, num_workers=0, persistent_workers=False)
        dataset = loader.dataset.get('dataset', loader.dataset)
        dataset.update(ann_file=str(demo))
    config.train_dataloader.dataset.times = 1
    if config.model.backbone.type == 'STGCN':
        config.model.backbone.update(SMALL)
        config.model.cls_head.in_channels = 12
    config.train_cfg.update(max_epochs=2, val_interval=2)
    config.merge_from_dict(
        dict(
            work_dir=str(work_dir),
            randomness=dict(seed=0),
            experiment_name=f'{name}_{work_dir.name}',
            vis_backends=[dict(type='LocalVisBackend')],
            visualizer=dict(vis_backends=[dict(type='LocalVisBackend')], name=str(work_dir)),
        )
    )
    return config


ENCODERS = dict(
    bigru=dict(type='BiGRU', hidden_channels=4, num_layers=1),
    gcn_transformer=dict(
        type='GCNTransformer',
        gcn_channels=4,
        embed_dims=8,
        depth=1,
        num_heads=2,
        feedforward_channels=8,
        num_frames=100,
        cross_attention=False,
    ),
)


def test_our_views_train_mmaction2s_recognizer(demo, tmp_path):
    config = small('stgcnpp_our_views', demo, tmp_path / 'run')
    runner = Runner.from_cfg(config)
    before = copy.deepcopy(runner.model.state_dict())
    runner.train()
    assert not torch.equal(runner.model.state_dict()['cls_head.fc.weight'], before['cls_head.fc.weight'])
    assert 'acc/top1' in runner.val_loop.run()
    dataset = DATASETS.build(config.train_dataloader.dataset)
    assert dataset[0]['inputs'].shape == (1, 2, 100, 25, 3)
    # One sample is another one each time.
    assert not torch.equal(dataset[0]['inputs'], dataset[0]['inputs'])


@pytest.mark.parametrize('encoder', ENCODERS)
def test_our_encoders_are_backbones_of_mmaction2s_recognizer(encoder, demo, tmp_path):
    config = small('gcn_transformer_supervised', demo, tmp_path / 'run')
    config.model.backbone = ENCODERS[encoder]
    config.model.cls_head.update(in_channels=8, num_classes=3)
    runner = Runner.from_cfg(config)
    runner.train()
    weights = torch.load(tmp_path / 'run/epoch_2.pth', weights_only=False)['state_dict']
    assert all(torch.isfinite(value).all() for value in weights.values())
    assert 'acc/top1' in runner.val_loop.run()


@pytest.mark.parametrize('clips', [1, 3])
def test_neighbours_watch_mmaction2s_recognizer(clips, demo, tmp_path):
    config = small('stgcnpp_knn_validation', demo, tmp_path / 'run')
    config.val_dataloader.dataset.pipeline[2].num_clips = clips
    runner = Runner.from_cfg(config)
    runner.train()
    measured = runner.val_loop.run()
    assert set(measured) == {'knn/top1_backbone', 'knn/top1'}

    features = {}
    model = runner.model.eval()
    for split in ('xsub_train', 'xsub_val'):
        dataset = DATASETS.build(dict(config.val_dataloader.dataset, split=split))
        rows, labels = [], []
        for number in range(len(dataset)):
            data = model.data_preprocessor(pseudo_collate([dataset[number]]), training=False)
            with torch.no_grad():
                maps = model.backbone(data['inputs'][0])  # (clips, M, C, T, V)
            rows.append(maps.double().mean(dim=(0, 1, 3, 4)).numpy())
            labels.append(int(data['data_samples'][0].gt_label))
        features[split] = np.stack(rows), np.array(labels)
    nearest = KNeighborsClassifier(1, metric='cosine').fit(*features['xsub_train'])
    expected = 100 * nearest.score(*features['xsub_val'])
    assert measured['knn/top1'] == measured['knn/top1_backbone'] == pytest.approx(expected)


@pytest.mark.parametrize('network', NETWORKS)
@pytest.mark.parametrize('method', ['moco', 'mcl', 'cmd', 'crossclr_bigru', 'aimclr'])
def test_mmaction2s_networks_are_encoders_of_ours(network, method):
    config = Config.fromfile(ROOT / f'configs/{method}_ntu60.py')
    init_default_scope('mmaction')
    model = copy.deepcopy(config.model)
    model.backbone = dict(NETWORKS[network], **SMALL)
    model.projector.in_channels = 12
    model.bank.size = 8
    if 'distillation' in model:
        model.distillation.topk = 4
    model = MODELS.build(model)
    model.init_weights()
    losses = model.loss(torch.rand(model.num_views, 4, 2, 16, 25, 3))
    sum(value for name, value in losses.items() if 'loss' in name).backward()
    for stream in model.streams.values():
        gradients = [parameter.grad for parameter in stream.query.parameters() if parameter.dim() > 1]
        assert any(gradient is not None and bool(gradient.any()) for gradient in gradients)
    embedded = model.eval()(torch.rand(3, 2, 16, 25, 3))
    assert {name: tuple(value.shape) for name, value in embedded.items()} == dict.fromkeys(
        model.streams, (3, 12)
    )


def test_a_network_that_cannot_attend_to_neighbours_is_no_encoder_of_i2md():
    config = Config.fromfile(ROOT / 'configs/i2md_ntu60.py')
    init_default_scope('mmaction')
    model = dict(config.model, backbone=dict(NETWORKS['stgcn'], **SMALL), compiled=False)
    model['projector'] = dict(model['projector'], in_channels=12)
    with pytest.raises((TypeError, ValueError), match='STGCN'):
        MODELS.build(model)


@pytest.mark.parametrize('change', ['data set', 'backbone'])
def test_our_data_set_and_our_graph_network_serve_mmaction2s_recognizer(change, demo, tmp_path):
    config = small('stgcnpp_our_views', demo, tmp_path / 'run')
    if change == 'data set':
        for part in ('train', 'val', 'test'):
            dataset = config[f'{part}_dataloader'].dataset
            dataset.get('dataset', dataset).update(type='SkeletonDataset', num_classes=3)
    else:
        config.model.backbone = dict(type='SlimSTGCN', base_channels=2, embed_dims=12)
    runner = Runner.from_cfg(config)
    runner.train()
    assert 'acc/top1' in runner.val_loop.run()


def test_the_loop_of_plain_torch_learns(demo, tmp_path, capsys):
    out = tmp_path / 'streams.pth'
    line = [str(demo), '--split', 'xsub_train', '--epochs', '24', '--batch-size', '6', '--out', str(out)]
    assert plain_torch.main(line) == 0
    losses = [float(row.split()[-1]) for row in capsys.readouterr().out.splitlines()]
    # They rise while the bank fills with negatives.
    assert len(losses) == 24 and losses[-1] < 0.85 * max(losses)
    weights = torch.load(out, weights_only=True)
    assert {name.split('.')[0] for name in weights} == set(plain_torch.STREAMS)
