"""The commands that people type: mmaction2's train and test tools through mim, and our own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
OPTIONS = [
    'train_dataloader.batch_size=8',
    *(f'{part}_dataloader.num_workers=0' for part in ('train', 'val', 'test')),
    *(f'{part}_dataloader.persistent_workers=False' for part in ('train', 'val', 'test')),
    *(f'{part}_dataloader.dataset.split=train' for part in ('train', 'val', 'test')),
    'val_cfg.bank.split=train',
    'test_cfg.bank.split=train',
    'model.backbone.hidden_channels=8',
    'default_hooks.checkpoint.interval=1',
]


def mim(command, annotations, *arguments, options=()):
    files = [f'{part}_dataloader.dataset.ann_file={annotations}' for part in ('train', 'val', 'test')]
    line = ['mim', command, 'mmaction2', str(ROOT / 'configs/cmd_demo.py'), '--gpus', '0', *arguments]
    line += ['--cfg-options', *OPTIONS, *files, *options]
    path = f'{Path(sys.executable).parent}{os.pathsep}{os.environ["PATH"]}'
    done = subprocess.run(line, env={**os.environ, 'PATH': path}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout + done.stderr


def test_mim_trains_with_amp_resumes_and_tests_and_the_report_is_drawn(annotations, tmp_path):
    work_dir = tmp_path / 'run'
    arguments = ['--work-dir', str(work_dir)]
    amp = 'optim_wrapper.type=BFloat16OptimWrapper'
    options = ['train_cfg.max_epochs=1', 'train_cfg.val_interval=1', amp]
    mim('train', annotations, *arguments, options=options)
    assert (work_dir / 'epoch_1.pth').is_file()
    log = mim('train', annotations, *arguments, '--resume', options=['train_cfg.max_epochs=2', amp])
    assert 'resumed epoch: 1, iter: 1' in log
    checkpoint = work_dir / 'epoch_2.pth'
    assert torch.load(checkpoint, weights_only=True)['meta']['epoch'] == 2
    log = mim('test', annotations, '--checkpoint', str(checkpoint), '--work-dir', str(tmp_path / 'test'))
    # Bank and queries are the same split here.
    assert 'knn/top1: 100.0000' in log and 'knn/top1_motion: 100.0000' in log

    from tools import compare_runs

    # In a process of its own, which no test before it has set up.
    line = [
        sys.executable,
        str(ROOT / 'tools/demo_report.py'),
        str(work_dir / 'cmd_demo.py'),
        str(checkpoint),
    ]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    report = done.stdout
    assert 'raw joints' in report and 'random encoder' in report and 'pre-trained' in report
    for picture in ('tsne.png', 'run.png'):
        assert (work_dir / picture).read_bytes().startswith(b'\x89PNG') and picture in report
    assert compare_runs.table([work_dir]).splitlines()[-1].startswith('| run | 2 | 100.0 |')


def test_folders_without_a_run_are_named_and_skipped(tmp_path, capsys):
    from tools import compare_runs

    log = tmp_path / 'run' / '1' / 'vis_data' / 'scalars.json'
    log.parent.mkdir(parents=True)
    log.write_text(json.dumps({'knn/top1': 50.0, 'knn/top1_joint': 40.0, 'step': 3}) + '\n')
    (tmp_path / 'evaluate').mkdir()
    table = compare_runs.table([tmp_path / 'evaluate', tmp_path / 'run'])
    assert table.splitlines()[-1] == '| run | 3 | 40.0 |  |  | 50.0 | 50.0 |'
    assert f'skipped: no log under {tmp_path / "evaluate"}' in capsys.readouterr().err
    with pytest.raises(SystemExit) as stop:
        compare_runs.table([tmp_path / 'evaluate'])
    assert stop.value.code == 2


def test_views_are_drawn_for_a_config(annotations, tmp_path):
    from tools import browse_views

    options = [f'train_dataloader.dataset.ann_file={annotations}', 'train_dataloader.dataset.split=train']
    out = tmp_path / 'views.png'
    browse_views.main(
        [
            str(ROOT / 'configs/cmd_demo.py'),
            '--index',
            '1',
            '--draws',
            '1',
            '--out',
            str(out),
            '--cfg-options',
        ]
        + options
    )
    assert out.read_bytes().startswith(b'\x89PNG')


NARROW = [
    'model.backbone.hidden_channels=8',
    'model.backbone.num_layers=1',
    "model.streams=['joint','bone']",
    'model.bank.size=32',
    'model.distillation.topk=8',
]


def benchmarked(command, *arguments, config='cmd_demo', options=NARROW):
    from tools.benchmark import benchmark

    arguments = [command, str(ROOT / f'configs/{config}.py'), *arguments, '--repeats', '1', '--device', 'cpu']
    return benchmark.main([*arguments, '--cfg-options', *options])


def test_the_benchmark_counts_the_work_of_a_step_and_sets_the_plain_one_beside_it(tmp_path):
    out = ['--json', str(tmp_path / 'figures.json')]
    few, many = (benchmarked('step', '--batch', batch, *out) for batch in ('2', '4'))
    assert json.loads((tmp_path / 'figures.json').read_text()) == many
    few, figures = ({row['figure']: row['value'] for row in tables['figures']} for tables in (few, many))
    # The work of a sample does not depend on how many there are.
    assert few['model GFLOP a sample'] == pytest.approx(figures['model GFLOP a sample'], rel=1e-6)
    assert few['model GFLOP a sample'] > 0
    phases = {row['phase (ms)']: row for row in many['phases']}
    assert set(phases) == {'forward', 'losses', 'backward', 'optimiser and memory', 'step'}
    for row in phases.values():
        assert row['plain / ours'] == pytest.approx(row['plain'] / row['ours'])
    rate = 4 * figures['model GFLOP a sample'] / (phases['step']['ours'] / 1000)
    assert figures['rate (GFLOP/s)'] == pytest.approx(rate)


def test_figures_that_could_not_be_kept_are_not_measured(tmp_path, monkeypatch):
    from tools.benchmark import benchmark

    monkeypatch.setitem(benchmark.COMMANDS, 'step', lambda _: pytest.fail('measured'))
    (tmp_path / 'file').touch()
    for out in (tmp_path, tmp_path / 'file' / 'figures.json'):
        with pytest.raises(SystemExit, match='there is a folder in its place, or a file in its way'):
            benchmarked('step', '--json', str(out))


def test_the_memory_from_shapes_is_what_a_step_takes():
    case = dict(config='i2md_demo', options=["model.streams=['joint']"])
    traced = benchmarked('memory', '--sizes', 'batch', **case)['memory']
    measured = benchmarked('growth', '--sizes', 'batch', **case)['growth']
    assert [row['at'] for row in traced] == [row['at'] for row in measured]
    for shape, real in zip(traced, measured):
        assert shape['memory (GiB)'] == pytest.approx(real['memory (GiB)'], rel=0.05)
    assert traced[-1]['memory (GiB)'] > traced[0]['memory (GiB)']


def test_the_benchmark_grows_only_what_a_method_has():
    tables = benchmarked('memory', '--sizes', 'K', 'K_d', 'streams', config='moco_demo', options=NARROW[:2])
    assert [(row['size'], row['at']) for row in tables['memory']] == [('streams', n) for n in '123']


def test_the_benchmark_compares_both_forms_of_the_bigru():
    from tools.benchmark import benchmark

    sizes = ['--batch', '2', '--frames', '4', '--hidden', '8']
    whole, released, ratio, mixed = benchmark.main(['bigru', '--repeats', '1', '--device', 'cpu', *sizes])[
        'bigru'
    ]
    for precision in ('float32', 'bfloat16'):
        assert ratio[precision] == pytest.approx(released[precision] / whole[precision])
        assert mixed[precision] == pytest.approx(released['float32'] / whole[precision])
