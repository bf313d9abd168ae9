"""mmaction2's own tools on what a run of ours leaves."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.runner import Runner

from tests.test_runs.test_downstream import ROOT, small


@pytest.fixture(scope='module')
def run(pretraining, tmp_path_factory):
    """A classifier's config and checkpoint, and the scores that a test would dump."""
    folder = tmp_path_factory.mktemp('run')
    config = small('linear', pretraining, folder / 'run', epochs=1)
    dump = dict(type='DumpResults', out_file_path=str(folder / 's.pkl'))
    config.test_evaluator = [config.test_evaluator, dump]
    runner = Runner.from_cfg(config)
    runner.train()
    runner.test()
    config.dump(folder / 'linear.py')
    return folder


def call(folder, *line):
    """Runs a command in a folder, and returns what it prints."""
    path = f'{Path(sys.executable).parent}{os.pathsep}{os.environ["PATH"]}'
    environment = dict(os.environ, PATH=path, PYTHONPATH=str(ROOT), PYTHONWARNINGS='ignore')
    done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout + done.stderr


def mim(folder, tool, *arguments):
    return call(folder, 'mim', 'run', 'mmaction2', tool, *arguments)


def test_a_config_is_printed_and_its_operations_are_counted(run):
    assert "type='SkeletonClassifier'" in mim(run, 'print_config', 'linear.py')
    printed = mim(run, 'get_flops', 'linear.py', '--shape', '2', '64', '25', '3')
    assert 'Input shape: (2, 64, 25, 3)' in printed and 'Params: ' in printed


def test_scores_that_a_test_dumped_are_fused(run):
    printed = mim(run, 'report_accuracy', '--preds', 's.pkl', 's.pkl', '--coefficients', '0.6', '0.4')
    dumped = pickle.loads((run / 's.pkl').read_bytes())
    right = [int(sample['pred_score'].argmax()) == int(sample['gt_label']) for sample in dumped]
    assert f'Top 1 Accuracy: {sum(right) / len(right):.4f}' in printed


def test_the_confusion_matrix_is_drawn(run):
    arguments = ('confusion_matrix', 'linear.py', 'run/epoch_1.pth', '--show-path', 'confusion.png')
    call(run, sys.executable, str(ROOT / 'tools/mmaction_tool.py'), *arguments)
    assert (run / 'confusion.png').read_bytes().startswith(b'\x89PNG')
