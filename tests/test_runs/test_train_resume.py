"""Real runs through the runner: train, resume, validate, on a tiny data set."""

import pickle

import numpy as np
import pytest
import torch
from mmengine.runner import Runner

from i2md_mmaction.evaluation.history import read_scalars


def flat_state(path):
    state = torch.load(path, weights_only=True)
    return state['state_dict'], state['optimizer']['state']


@pytest.mark.parametrize('name', ['i2md_demo', 'cmd_demo', 'moco_demo'])
def test_a_resumed_run_takes_the_same_third_step_bit_for_bit(name, annotations, tmp_path, small_config):
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


@pytest.mark.parametrize('name', ['moco_demo', 'i2md_demo'])
def test_a_run_without_a_seed_goes_on_with_the_one_it_drew(name, annotations, tmp_path, small_config):
    """Two batches an epoch, whose order hangs on the seed."""
    options = dict(randomness=dict(seed=None))

    def train(work_dir, epochs, **more):
        config = small_config(name, annotations, work_dir, epochs, **more)
        config.train_dataloader.batch_size = 4
        Runner.from_cfg(config).train()

    train(tmp_path / 'broken', 2, **options)
    drawn = torch.load(tmp_path / 'broken/epoch_2.pth', weights_only=True)['meta']['seed']
    train(tmp_path / 'unbroken', 4, randomness=dict(seed=drawn))
    train(tmp_path / 'broken', 4, resume=True, **options)
    weights, _ = flat_state(tmp_path / 'unbroken/epoch_4.pth')
    resumed, _ = flat_state(tmp_path / 'broken/epoch_4.pth')
    assert all(torch.equal(value, resumed[key]) for key, value in weights.items())


def test_an_iteration_based_run_without_a_seed_goes_on_too(annotations, tmp_path, small_config):
    def train(work_dir, iterations, **options):
        config = small_config('moco_demo', annotations, work_dir, 1, **options)
        config.train_dataloader.update(batch_size=4, sampler=dict(type='InfiniteSampler', shuffle=True))
        config.train_cfg = dict(type='IterBasedTrainLoop', max_iters=iterations, val_interval=100)
        config.default_hooks.checkpoint.update(by_epoch=False, interval=2)
        for schedule in config.param_scheduler:
            schedule.by_epoch = False
        Runner.from_cfg(config).train()

    train(tmp_path / 'broken', 4, randomness=dict(seed=None))
    drawn = torch.load(tmp_path / 'broken/iter_4.pth', weights_only=True)['meta']['seed']
    train(tmp_path / 'unbroken', 6, randomness=dict(seed=drawn))
    train(tmp_path / 'broken', 6, resume=True, randomness=dict(seed=None))
    weights, _ = flat_state(tmp_path / 'unbroken/iter_6.pth')
    resumed, _ = flat_state(tmp_path / 'broken/iter_6.pth')
    assert all(torch.equal(value, resumed[key]) for key, value in weights.items())


def test_an_accumulation_that_does_not_divide_the_epoch_ends_with_it(annotations, tmp_path, small_config):
    """Four batches an epoch, three to a step: the fourth makes a step of its own, and is weighed as one."""
    scales, updates = [], []

    def train(work_dir, epochs, **more):
        options = dict(optim_wrapper=dict(accumulative_counts=3), **more)
        config = small_config('cmd_demo', annotations, work_dir, epochs, **options)
        config.train_dataloader.batch_size = 2
        runner = Runner.from_cfg(config)
        runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
        scale, update = runner.optim_wrapper.scale_loss, runner.model.enqueue_keys

        def scaled(loss):
            out = scale(loss)
            scales.append(round((loss / out).item()))
            return out

        runner.optim_wrapper.scale_loss = scaled
        runner.model.enqueue_keys = lambda: (updates.append(len(scales)), update())
        runner.train()

    train(tmp_path / 'unbroken', 3)
    assert scales == [3, 3, 3, 1] * 3 and updates == [3, 4, 7, 8, 11, 12]
    train(tmp_path / 'broken', 1)
    train(tmp_path / 'broken', 3, resume=True)
    weights, momenta = flat_state(tmp_path / 'unbroken/epoch_3.pth')
    resumed, resumed_momenta = flat_state(tmp_path / 'broken/epoch_3.pth')
    assert all(torch.equal(value, resumed[key]) for key, value in weights.items())
    for index, state in momenta.items():
        assert all(torch.equal(value, resumed_momenta[index][key]) for key, value in state.items())
    assert int(weights['bank.filled']) == 20  # 24 samples were seen, and none was forgotten


def test_checkpoints_between_two_steps_of_the_optimiser_are_refused(annotations, tmp_path, small_config):
    options = dict(optim_wrapper=dict(accumulative_counts=3))
    config = small_config('moco_demo', annotations, tmp_path, 1, **options)
    config.train_cfg = dict(type='IterBasedTrainLoop', max_iters=8, val_interval=100)
    config.default_hooks.checkpoint.update(by_epoch=False, interval=4)
    with pytest.raises(ValueError, match='every 4 iterations fall between two steps .* accumulated over 3'):
        Runner.from_cfg(config).train()


def test_the_bank_and_the_key_encoders_move_once_for_each_optimiser_step(annotations, tmp_path, small_config):
    options = dict(optim_wrapper=dict(accumulative_counts=2))
    config = small_config('cmd_demo', annotations, tmp_path / 'run', epochs=2, **options)
    config.train_dataloader.batch_size = 2  # Four iterations, two optimiser steps an epoch.
    Runner.from_cfg(config).train()
    first, second = (flat_state(tmp_path / f'run/epoch_{epoch}.pth')[0] for epoch in (1, 2))
    assert int(first['bank.filled']) == 8 and int(first['bank.pointer']) == 8
    assert int(second['bank.filled']) == 16 and int(second['bank.pointer']) == 16


def test_validation_reports_every_stream_and_save_best_follows_them_together(
    annotations, tmp_path, small_config
):
    runner = Runner.from_cfg(small_config('cmd_demo', annotations, tmp_path, epochs=1))
    runner.train()
    metrics = runner.val_loop.run()
    # Bank and queries are the same split here: every sample finds itself.
    assert metrics == {f'knn/top1{stream}': 100.0 for stream in ('_joint', '_motion', '_bone', '')}
    assert list(tmp_path.glob('best_knn_top1_epoch_1.pth'))
    assert runner.test() == metrics


def test_every_loss_term_and_the_contrast_accuracy_stand_in_the_log(annotations, tmp_path, small_config):
    runner = Runner.from_cfg(small_config('i2md_demo', annotations, tmp_path, epochs=1))
    runner.train()
    logged = set(read_scalars(tmp_path, ''))
    streams = ('joint', 'motion', 'bone')
    for stream in streams:
        terms = ('loss_nce', 'loss_cluster_nce', 'acc_nce', 'acc_cluster_nce')
        wanted = {f'{term}_{stream}' for term in terms}
        wanted |= {f'loss_imd_{stream}_{way}' for way in ('instance_to_cluster', 'cluster_to_instance')}
        wanted |= {f'loss_cmd_{stream}_to_{student}' for student in set(streams) - {stream}}
        assert wanted <= logged


def test_a_bank_smaller_than_k_stops_before_the_first_step(annotations, tmp_path, small_config):
    config = small_config('cmd_demo', annotations, tmp_path, epochs=1)
    config.model.distillation.topk = 21
    with pytest.raises(ValueError, match='topk=21 exceeds the 20 rows of the bank; lower it'):
        Runner.from_cfg(config)


def test_a_bad_sample_stops_before_the_first_step(annotations, tmp_path, small_config):
    config = small_config('cmd_demo', annotations, tmp_path, epochs=1)
    content = pickle.loads(annotations.read_bytes())
    content['annotations'][3]['keypoint'][0, 2, 5, 1] = np.nan
    annotations.write_bytes(pickle.dumps(content))
    with pytest.raises(ValueError, match='sample_3: keypoint: NaN or infinite values; repair or drop'):
        Runner.from_cfg(config).train()
