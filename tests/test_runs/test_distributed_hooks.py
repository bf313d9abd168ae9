"""Hooks, loops and BatchNorm of a run by two processes (gloo, on the CPU) through MMEngine's runner."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from i2md_mmaction.evaluation.inference import load_model

SCRIPT = Path(__file__).with_name('distributed_hooks.py')
#: Neither is a multiple of two processes, nor of their batches of two.
TRAINED, QUERIES = 13, 11
HOOKS = dict(
    momentum=dict(type='MomentumScheduleHook'),
    stages=dict(
        type='PretrainStageHook', stages=[dict(begin=0, cmd_weight=0.0), dict(begin=1, cmd_weight=1.0)]
    ),
)
AIMCLR = dict(
    type='AimCLR',
    streams=('joint',),
    backbone=dict(type='SlimSTGCN', base_channels=2, embed_dims=8),
    drop=dict(type='EnergyDrop', keep_prob=0.7),
    bank=dict(type='MemoryBank', size=20),
    momentum=0.99,
)


def write_data(path):
    """Samples of the layout 'ntu25', with labels that are not told from the names or places of samples."""
    generator = np.random.default_rng(1)
    names = [f'sample_{number}' for number in range(TRAINED + QUERIES)]
    annotations = [
        dict(
            frame_dir=name,
            label=int(generator.integers(3)),
            total_frames=20 + number,
            keypoint=generator.normal(size=(1 + number % 2, 20 + number, 25, 3)).astype(np.float32),
        )
        for number, name in enumerate(names)
    ]
    splits = dict(train=names[:TRAINED], val=names[TRAINED:])
    path.write_bytes(pickle.dumps(dict(split=splits, annotations=annotations)))
    return [
        [annotation['label'] for annotation in part]
        for part in (annotations[TRAINED:], annotations[:TRAINED])
    ]


def write_config(make, folder, name, base='cmd_demo', model=None, **options):
    """Writes the config of a run of two epochs in a folder of that name."""
    options = dict(
        dict(
            train_dataloader=dict(batch_size=2),
            val_dataloader=dict(batch_size=2, dataset=dict(split='val')),
            test_dataloader=dict(batch_size=2, dataset=dict(split='val')),
            val_evaluator=dict(_delete_=True, type='RecordedKNN'),
            # As MMEngine wraps a model that no config says more of, but for the device.
            model_wrapper_cfg=dict(type='RecordedWrapper', device_ids=None, broadcast_buffers=False),
            launcher='pytorch',
        ),
        **options,
    )
    config = make(base, folder / 'data.pkl', folder / name, 2, **options)
    assert config.sync_bn == 'torch'
    if model is not None:
        views = config.model.data_preprocessor
        views['train_views'] = [views.train_views[0]] * 3
        config.model = dict(model, data_preprocessor=views)
    config.dump(folder / f'{name}.py')


@pytest.fixture(scope='module')
def runs(tmp_path_factory, small_config):
    """All runs, one after the other by the same two processes."""
    folder = tmp_path_factory.mktemp('hooks')
    labels = write_data(folder / 'data.pkl')

    accumulated = dict(accumulative_counts=3)  # which does not divide the four batches of an epoch
    mining = [dict(begin=0, mining=False), dict(begin=1, mining=True)]
    names = dict(
        whole=dict(default_hooks=HOOKS, optim_wrapper=accumulated),
        resumed=dict(default_hooks=HOOKS, optim_wrapper=accumulated, resume=True),
        rank_seeds=dict(
            randomness=dict(seed=0, diff_rank_seed=True),
            default_hooks=dict(checkpoint=dict(max_keep_ckpts=1)),
        ),
        i2md=dict(base='i2md_demo'),
        aimclr=dict(model=AIMCLR, default_hooks=dict(stages=dict(type='PretrainStageHook', stages=mining))),
        torchs_norm=dict(load_from=str(folder / 'whole/epoch_2.pth')),
    )
    for name, options in names.items():
        write_config(small_config, folder, name, **options)
    command = [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc_per_node=2']
    done = subprocess.run(
        [*command, SCRIPT, folder, *names],
        env=dict(os.environ, CUDA_VISIBLE_DEVICES='-1'),
        cwd=folder,  # MMEngine collects results in a folder of the current one
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    found = {path.stem: [] for path in sorted(folder.glob('*.[01]'))}
    for path in sorted(folder.glob('*.[01]')):
        found[path.stem].append(torch.load(path, weights_only=True))
    return dict(found, labels=labels, folder=folder)


def the_same(first, second):
    """Whether nested states hold the same values, bit for bit."""
    if torch.is_tensor(first):
        return torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(the_same(first[key], second[key]) for key in first)
    return first == second


@pytest.mark.parametrize('name', ['whole', 'rank_seeds', 'i2md', 'aimclr'])
def test_both_ranks_hold_the_same_encoders_bank_and_optimiser(runs, name):
    first, second = runs[name]
    assert the_same(first['weights'], second['weights']) and the_same(first['optimizer'], second['optimizer'])
    weights = first['weights']
    # Seven of thirteen samples a rank, one of them twice, in each of two epochs.
    assert (int(weights['bank.filled']), int(weights['bank.pointer'])) == (20, 28 % 20)
    moved = [key for key in weights if 'query' in key and '.weight' in key]
    assert moved and all(not torch.equal(weights[key], weights[key.replace('query', 'key')]) for key in moved)


@pytest.mark.parametrize('name', ['whole', 'rank_seeds', 'i2md', 'aimclr'])
def test_the_ranks_share_out_each_epoch(runs, name):
    epochs = [[sum((step['samples'] for step in rank['steps'][part]), []) for rank in runs[name]]
              for part in (slice(4), slice(4, 8))]  # fmt: skip
    for first, second in epochs:
        assert len(first) == len(second) == 7
        assert set(first) | set(second) == {f'sample_{number}' for number in range(TRAINED)}
    assert epochs[0] != epochs[1]


@pytest.mark.parametrize('name', ['whole', 'rank_seeds'])
def test_the_ranks_make_other_views_of_a_sample_at_every_step(runs, name):
    views = [step['views'] for rank in runs[name] for step in rank['steps']]
    assert len({tuple(view.flatten().tolist()) for view in views}) == len(views) == 2 * 2 * 4


def test_stage_and_momentum_are_those_of_the_epoch_and_the_step_on_both_ranks(runs):
    first, second = runs['whole']
    for name in ('momentum', 'stage'):
        assert [step[name] for step in first['steps']] == [step[name] for step in second['steps']]
    assert [step['stage']['cmd_weight'] for step in first['steps']] == [0.0] * 4 + [1.0] * 4
    expected = [1 - 0.01 * (np.cos(np.pi * step / 8) + 1) / 2 for step in range(8)]
    np.testing.assert_allclose([step['momentum'] for step in first['steps']], expected)
    mining = [[step['stage']['mining'] for step in rank['steps']] for rank in runs['aimclr']]
    assert mining == [[False] * 4 + [True] * 4] * 2


def test_one_rank_writes_each_checkpoint_once(runs):
    first, second = (rank['written'] for rank in runs['whole'])
    assert second == []
    assert set(first) >= {'epoch_1.pth', 'epoch_2.pth', 'last_checkpoint'}
    assert first[-2:] == ['epoch_2.pth', 'last_checkpoint']
    folder = runs['folder'] / 'whole'
    assert len(list(folder.glob('best_*.pth'))) == 1 and len(list(folder.glob('*.pth'))) == 3
    saved = torch.load(folder / 'epoch_2.pth', weights_only=True)
    assert the_same(dict(saved['state_dict']), dict(runs['whole'][1]['weights']))
    kept = [path.name for path in (runs['folder'] / 'rank_seeds').glob('epoch_*.pth')]
    assert kept == ['epoch_2.pth']  # max_keep_ckpts=1


def test_a_resumed_run_goes_on_bit_for_bit_on_both_ranks(runs):
    for whole, resumed in zip(runs['whole'], runs['resumed']):
        assert len(resumed['steps']) == 4
        for step, again in zip(whole['steps'][4:], resumed['steps']):
            assert the_same(step, again)
        for name in ('weights', 'optimizer', 'metrics'):
            assert the_same(whole[name], resumed[name]), name


def test_two_processes_count_each_query_and_each_row_of_the_bank_once(runs):
    first, second = runs['whole']
    assert first['compared'] == [runs['labels']] * 2 and second['compared'] == []
    assert first['metrics'] == second['metrics'] and len(first['metrics']) == 4


@pytest.mark.parametrize('name', ['whole', 'aimclr'])
def test_one_process_finds_the_accuracy_of_two(runs, name):
    config = Config.fromfile(runs['folder'] / f'{name}.py')
    config.merge_from_dict(
        dict(
            launcher='none',
            model_wrapper_cfg=None,
            val_evaluator=dict(_delete_=True, type='KNNAccuracy'),
            load_from=str(runs['folder'] / name / 'epoch_2.pth'),
            work_dir=str(runs['folder'] / f'{name}_alone'),
            experiment_name=f'{name}_alone',
            visualizer=dict(name=f'{name}_alone'),
        )
    )
    found = {f'val/{metric}': value for metric, value in Runner.from_cfg(config).test().items()}
    assert found == pytest.approx(runs[name][0]['metrics'])
    assert any(value not in (0, 100) for value in found.values())


@pytest.mark.parametrize('name', ['whole', 'i2md', 'aimclr'])
def test_every_batch_norm_of_query_and_key_encoders_is_synchronised(runs, name):
    model = load_model(Config.fromfile(runs['folder'] / f'{name}.py'), seed=0)
    plain = {key for key, module in model.named_modules() if 'BatchNorm' in type(module).__name__}
    assert {key.split('.')[2] for key in plain} == {'query', 'key'}
    for rank in runs[name]:
        assert rank['norms'] == dict.fromkeys(plain, 'HostSyncBatchNorm')


def test_torchs_synchronised_batch_norm_trains_on_gpus_only_and_evaluates_anywhere(runs):
    """What a CPU can show of it; test_distributed.py trains with it where there is a GPU."""
    model = load_model(Config.fromfile(runs['folder'] / 'whole.py'), runs['folder'] / 'whole/epoch_2.pth')
    for rank in runs['torchs_norm']:
        assert rank['norms'] == dict.fromkeys(runs['whole'][0]['norms'], 'SyncBatchNorm')
        assert len(rank['refusals']) == 2 and all('GPU' in refusal for refusal in rank['refusals'])
        with torch.no_grad():
            assert the_same(rank['features'], model(rank['view']))
