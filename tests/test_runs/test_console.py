"""What a run says on the console, and what it leaves to the log file."""

import json
import re
from itertools import permutations

import numpy as np
import pytest
from mmaction.registry import RUNNERS

STREAMS = ('joint', 'motion', 'bone')


@pytest.fixture
def run(annotations, tmp_path, small_config, capsys):
    """Runs a config through the runner that it names; returns it, console, log file and scalars."""

    def train(name, epochs=1, **options):
        config = small_config(name, annotations, tmp_path, epochs, **options)
        runner = RUNNERS.build(config)
        runner.train()
        [log] = tmp_path.glob('*/*.log')
        lines = (log.parent / 'vis_data' / 'scalars.json').read_text().splitlines()
        return runner, capsys.readouterr().out, log.read_text(), [json.loads(line) for line in lines]

    return train


def test_a_line_holds_each_group_of_terms_and_the_json_log_every_term(run):
    _, console, _, scalars = run('i2md_demo')
    [line] = [line for line in console.splitlines() if 'Epoch(train)' in line]
    stated = {name: float(value) for name, value in re.findall(r'(\w+): (-?[\d.]+)(?:\s|$)', line)}
    terms = {name for name in stated if name.startswith(('loss', 'acc'))}
    groups = {'loss_nce', 'loss_cluster_nce', 'loss_imd', 'loss_cmd'}
    assert terms == groups | {'loss', 'acc_nce', 'acc_cluster_nce'}
    assert stated['loss'] == pytest.approx(sum(stated[name] for name in groups), abs=3e-4)
    edges = [scalars[0][f'loss_cmd_{one}_to_{other}'] for one, other in permutations(STREAMS, 2)]
    assert stated['loss_cmd'] == pytest.approx(sum(edges), abs=1e-4)
    hits = [scalars[0][f'acc_nce_{stream}'] for stream in STREAMS]
    assert stated['acc_nce'] == pytest.approx(sum(hits) / 3, abs=1e-4)


def test_the_start_is_a_summary_and_the_header_is_in_the_log_file(run, tmp_path):
    _, console, log, _ = run('cmd_demo')
    for header in ('System environment:', 'INFO - Config:', 'Hooks will be executed in'):
        assert header in log and header not in console
    summary = console[: console.index('Epoch(train)')]
    assert len(summary.splitlines()) <= 11
    for stated in (
        ' - CMD\n',
        'joint, motion, bone\n',
        'BiGRU, ',
        '8 samples of tiny.pkl train\n',
        '1 epochs of 1 steps, batches of 8, seed 0\n',
        'AdamW, learning rate 0.001, ',
        f'writes to   {tmp_path}\n',
    ):
        assert stated in summary


def test_accuracies_of_training_are_smoothed_and_those_of_validation_are_not(run):
    runner, *_, scalars = run('moco_demo', epochs=3, **{'train_dataloader.batch_size': 4})
    logged = [row['acc_nce_joint'] for row in scalars if 'loss' in row]
    hits, _ = runner.message_hub.get_scalar('train/acc_nce_joint').data
    assert len(set(hits)) > 1 and len(logged) == 6
    assert logged == pytest.approx([np.mean(hits[: step + 1]) for step in range(6)])
    for accuracy in (10.0, 30.0):
        runner.message_hub.update_scalar('val/acc/top1', accuracy)
    assert runner.log_processor.get_log_after_epoch(runner, 0, 'val')[0]['acc/top1'] == 30
