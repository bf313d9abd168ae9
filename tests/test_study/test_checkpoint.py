"""The encoder that comes with the benchmark: it loads, is what its card says, and scores what it says."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from i2md_mmaction.apis import SkeletonEncoder
from i2md_mmaction.evaluation import knn_accuracy
from i2md_mmaction.study.results import load_result

BENCHMARK = Path(__file__).parents[2] / 'projects' / 'small_benchmark'
CHECKPOINT = BENCHMARK / 'checkpoints' / 'i2md_kinect20.pth'
CARD = CHECKPOINT.with_name('README.md').read_text(encoding='utf-8')
DATA = {'Northwestern-UCLA': 'nw_ucla', 'UTD-MHAD': 'utd_mhad', 'MSR-Action3D': 'msr_action3d'}


def of_run(data, method='i2md'):
    return load_result(BENCHMARK / 'results' / 'transfer' / data / 'gcn_transformer' / f'{method}_seed0.json')


def test_the_card_is_of_this_file():
    content = CHECKPOINT.read_bytes()
    assert hashlib.sha256(content).hexdigest() in CARD and len(content) < 10_000_000
    meta = torch.load(CHECKPOINT, weights_only=True)['meta']
    assert re.search(r"work_dir = '(.*)'", meta['cfg'])[1] in CARD
    # Nor is it said where things are on the machine that trained it.
    assert not re.search(r"""=\s*['"]/""", meta['cfg'])


def test_the_card_has_the_figures_of_the_run():
    for title, data in DATA.items():
        joints, run = of_run(data, 'raw'), of_run(data)
        figures = [joints.accuracy('knn'), *map(run.accuracy, ('knn', 'linear_cached', 'semi_10'))]
        assert f'| {title} | ' + ' | '.join(f'{figure:.1f}' for figure in figures) + ' |\n' in CARD


def test_it_embeds_a_clip_as_the_card_says():
    [code] = re.findall(r'```python\n(.*?)```', CARD, re.DOTALL)
    done = subprocess.run(
        [sys.executable, '-c', code], cwd=BENCHMARK.parents[1], capture_output=True, text=True, check=True
    )
    assert done.stdout == re.search(r'(?m)^# (\(.*\))$', code)[1] + '\n'


def test_its_nearest_neighbours_are_right_as_often_as_the_card_says(nwucla_file):
    encoder = SkeletonEncoder(CHECKPOINT, show_progress=False)
    query, bank = (encoder.encode(nwucla_file, split=split) for split in ('xview_val', 'xview_train'))
    features, labels = (
        [{name: torch.from_numpy(rows) for name, rows in found.streams.items()} for found in (query, bank)],
        [torch.from_numpy(found.labels) for found in (query, bank)],
    )
    found = knn_accuracy(features[0], labels[0], features[1], labels[1])
    run = of_run('nw_ucla')
    for stream in ('joint', 'motion', 'bone', 'all'):
        name = 'top1' if stream == 'all' else f'top1_{stream}'
        # Another processor rounds differently, which may turn a sample or two of 464.
        assert found[name] == pytest.approx(run.accuracy('knn', stream), abs=0.5)
