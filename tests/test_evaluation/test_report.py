"""Tables hold the numbers of the results, and the papers' beside them."""

import json

import numpy as np
import pytest

from i2md_mmaction.evaluation import compare_reports, summarize, write_report
from i2md_mmaction.evaluation.report import PUBLISHED

LABELS = np.array([0, 1, 2, 0])
SCORES = dict(
    joint=np.array([[3.0, 0, 0], [0, 1, 0], [4, 0, 0], [0, 0, 1]]),
    bone=np.array([[0.0, 1, 0], [0, 2, 0], [0, 0, 5], [0, 0, 1]]),
)


def classified(protocol, stream, run=0, last=50.0, best=75.0):
    common = dict(status='finished', unit=f'{protocol}-{stream}', recipe='80 epochs', scores=stream)
    return dict(protocol=protocol, stream=stream, run=run, last=last, best=best, **common)


def load(name):
    return SCORES[name], LABELS


@pytest.fixture
def results():
    accuracies = {
        '1': dict(top1_joint=60.0, top1_bone=50.0, top1=70.0),
        '5': dict(top1_joint=61.0, top1=61.0),
    }
    semi = [
        classified('semi_1', stream, run, last=40.0 + 10 * run, best=60.0)
        for run in range(3)
        for stream in ('joint', 'bone')
    ]
    return [
        dict(protocol='knn', stream=None, run=0, status='finished', unit='knn', accuracies=accuracies),
        classified('linear', 'joint'),
        classified('linear', 'bone'),
        *semi,
        dict(
            protocol='finetune', stream='joint', run=0, status='failed', unit='finetune-joint', error='E: x'
        ),
    ]


def test_rows_hold_each_stream_the_ensemble_and_the_spread_of_the_runs(results):
    one, five, linear, semi = summarize(results, load)
    assert {name: cell['last']['mean'] for name, cell in one['cells'].items()} == dict(
        joint=60, bone=50, ensemble=70
    )
    assert set(five['cells']) == {'joint'}  # One stream is no ensemble.
    assert linear['cells']['joint']['last'] == dict(mean=50, spread=None, runs=1)
    # Summed: rows 0, 1 and 2 are right, as neither stream alone.
    assert linear['cells']['ensemble']['last']['mean'] == 75
    assert semi['cells']['joint']['last'] == dict(mean=50, spread=10, runs=3)
    assert semi['cells']['joint']['best'] == dict(mean=60, spread=0, runs=3)
    assert semi['cells']['ensemble']['last'] == dict(mean=75, spread=0, runs=3)


def test_an_ensemble_needs_every_stream():
    rows = summarize([classified('linear', 'joint')], load)
    assert set(rows[0]['cells']) == {'joint'}


def report_of(results, dataset='ntu60 xsub'):
    return dict(
        title='Evaluation of CMD',
        dataset=dataset,
        config='cmd.py',
        checkpoint='epoch_450.pth',
        rows=summarize(results, load),
        failed={'finetune-joint': 'E: x'},
        pictures={'Confusion': 'confusion.png'},
        notes=['**Shortened**'],
    )


def test_the_page_names_numbers_failures_pictures_and_what_each_protocol_is(results, tmp_path):
    paths = write_report(report_of(results), tmp_path)
    assert json.loads(paths[0].read_text())['dataset'] == 'ntu60 xsub'
    page = paths[1].read_text()
    assert '| protocol | recipe | joint | bone | ensemble |' in page
    assert '| linear | 80 epochs | 50.0 (75.0) | 50.0 (75.0) | 75.0 |' in page
    assert '| semi_1 | 80 epochs | 50.0 ± 10.0 (60.0 ± 0.0) |' in page
    assert '- `finetune-joint`: E: x' in page and '![Confusion](confusion.png)' in page
    assert '**semi_1**: fine-tuned with the labels of 1 % of the training samples' in page


def test_reports_stand_side_by_side_with_the_papers_of_the_same_data(results):
    table = compare_reports(dict(ours=report_of(results), other=report_of(results[1:2], 'nw_ucla xview')))
    header = '| data set | protocol | stream | ours | other | CMD (paper) | AimCLR (paper) |'
    assert header in table
    line = next(line for line in table.splitlines() if line.startswith('| ntu60 xsub | linear | joint |'))
    assert line.split('|')[4:8] == [' 50.0 (75.0) ', ' - ', ' 79.8 ', ' 74.3 ']
    assert '| nw_ucla xview | linear | joint | - | 50.0 (75.0) | - |' in table
    assert 'knn, k = 5' in table and 'ECCV 2022' in table


def test_every_published_number_has_a_known_source_and_stands_once():
    data = json.loads(PUBLISHED.read_text())
    places = [tuple(row[key] for key in ('method', 'dataset', 'protocol', 'stream')) for row in data['rows']]
    assert len(set(places)) == len(places)
    for row in data['rows']:
        assert row['source'] in data['sources'] and 0 < row['accuracy'] < 100
