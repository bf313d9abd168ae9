"""Real runs through the runner: train, resume, validate, on a tiny data set."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

CONFIGS = Path(__file__).parents[2] / 'configs'
SMALL = dict(
    i2md_demo=dict(
        backbone=dict(gcn_channels=4, embed_dims=16, depth=1, num_heads=2, feedforward_channels=16),
        num_neighbors=4,
    ),
    cmd_demo=dict(backbone=dict(hidden_channels=8, num_layers=2)),
    moco_demo=dict(backbone=dict(hidden_channels=8, num_layers=2)),
)


@pytest.fixture
def annotations(tmp_path, tiny_dataset):
    """A data set of 8 samples, so that a batch of 8 is an epoch of one step."""
    return tiny_dataset(tmp_path / 'tiny.pkl', samples=8)


def small_config(name, annotations, work_dir, epochs, **options):
    config = Config.fromfile(CONFIGS / f'{name}.py')
    dataset = dict(ann_file=str(annotations), split='train', num_classes=None)
    loader = dict(batch_size=8, num_workers=0, persistent_workers=False, pin_memory=False, dataset=dataset)
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
            experiment_name=f'{name}_{work_dir.name}_{epochs}',
            vis_backends=[dict(type='LocalVisBackend')],
            visualizer=dict(vis_backends=[dict(type='LocalVisBackend')], name=str(work_dir)),
            **options,
        )
    )
    if name != 'moco_demo':
        config.model.distillation.topk = 10
    return config


def flat_state(path):
    state = torch.load(path, weights_only=True)
    return state['state_dict'], state['optimizer']['state']


@pytest.mark.parametrize('name', SMALL)
def test_a_resumed_run_takes_the_same_third_step_bit_for_bit(name, annotations, tmp_path):
    unbroken, broken = tmp_path / 'unbroken', tmp_path / 'broken'
    Runner.from_cfg(small_config(name, annotations, unbroken, epochs=3)).train()
    Runner.from_cfg(small_config(name, annotations, broken, epochs=2)).train()
    torch.rand(7)  # Whatever else drew in between must not matter.
    Runner.from_cfg(small_config(name, annotations, broken, epochs=3, resume=True)).train()

    weights, momenta = flat_state(unbroken / 'epoch_3.pth')
    resumed_weights, resumed_momenta = flat_state(broken / 'epoch_3.pth')
    second_weights, _ = flat_state(broken / 'epoch_2.pth')
    assert weights.keys() == resumed_weights.keys()
    for key, value in weights.items():
        assert torch.equal(value, resumed_weights[key]), key
    for index, state in momenta.items():
        assert state.keys() == resumed_momenta[index].keys()
        for key, value in state.items():
            assert torch.equal(value, resumed_momenta[index][key]), f'{index} {key}'
    assert any(not torch.equal(value, weights[key]) for key, value in second_weights.items())


def test_the_bank_and_the_key_encoders_move_once_for_each_optimiser_step(annotations, tmp_path):
    options = dict(optim_wrapper=dict(accumulative_counts=2))
    config = small_config('cmd_demo', annotations, tmp_path / 'run', epochs=2, **options)
    config.train_dataloader.batch_size = 2  # Four iterations, two optimiser steps an epoch.
    Runner.from_cfg(config).train()
    first, second = (flat_state(tmp_path / f'run/epoch_{epoch}.pth')[0] for epoch in (1, 2))
    assert int(first['bank.filled']) == 8 and int(first['bank.pointer']) == 8
    assert int(second['bank.filled']) == 16 and int(second['bank.pointer']) == 16


def test_validation_reports_every_stream_and_save_best_follows_them_together(annotations, tmp_path):
    runner = Runner.from_cfg(small_config('cmd_demo', annotations, tmp_path, epochs=1))
    runner.train()
    metrics = runner.val_loop.run()
    # Bank and queries are the same split here: every sample finds itself.
    assert metrics == {f'knn/top1{stream}': 100.0 for stream in ('_joint', '_motion', '_bone', '')}
    assert list(tmp_path.glob('best_knn_top1_epoch_1.pth'))
    assert runner.test() == metrics


def test_every_loss_term_and_the_contrast_accuracy_stand_in_the_log(annotations, tmp_path):
    runner = Runner.from_cfg(small_config('i2md_demo', annotations, tmp_path, epochs=1))
    runner.train()
    log = next(tmp_path.glob('*/*.log')).read_text()
    streams = ('joint', 'motion', 'bone')
    for stream in streams:
        for term in ('loss_nce_{}', 'loss_cluster_nce_{}', 'acc_nce_{}', 'acc_cluster_nce_{}'):
            assert f'{term.format(stream)}: ' in log
        assert f'loss_imd_{stream}_instance_to_cluster: ' in log
        assert f'loss_imd_{stream}_cluster_to_instance: ' in log
        for student in set(streams) - {stream}:
            assert f'loss_cmd_{stream}_to_{student}: ' in log


def test_a_bank_smaller_than_k_stops_before_the_first_step(annotations, tmp_path):
    config = small_config('cmd_demo', annotations, tmp_path, epochs=1)
    config.model.distillation.topk = 21
    with pytest.raises(ValueError, match=r'top 21 rows \(topk\) of a bank of 20; lower `topk`'):
        Runner.from_cfg(config)


def test_a_bad_sample_stops_before_the_first_step(annotations, tmp_path):
    config = small_config('cmd_demo', annotations, tmp_path, epochs=1)
    content = pickle.loads(annotations.read_bytes())
    content['annotations'][3]['keypoint'][0, 2, 5, 1] = np.nan
    annotations.write_bytes(pickle.dumps(content))
    with pytest.raises(ValueError, match='sample_3: keypoint: NaN or infinite values; repair or drop'):
        Runner.from_cfg(config).train()
