"""Tables hold the numbers of the results, and the papers' beside them."""

import json
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config

from i2md_mmaction.protocols import compare_reports, summarize, write_report
from i2md_mmaction.protocols.comparison import COMPARED, PUBLISHED
from i2md_mmaction.protocols.pictures import dataset_name

ROOT = Path(__file__).parents[2]
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
    found = {1: dict(top1_joint=60.0, top1_bone=50.0, top1=70.0), 5: dict(top1_joint=61.0, top1=61.0)}
    votes = [dict(k=k, temperature=None, accuracies=accuracies) for k, accuracies in found.items()]
    semi = [
        classified('semi_1', stream, run, last=40.0 + 10 * run, best=60.0)
        for run in range(3)
        for stream in ('joint', 'bone')
    ]
    return [
        dict(protocol='knn', stream=None, run=0, status='finished', unit='knn', votes=votes),
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
    header = [cell.strip() for cell in table.splitlines()[0].split('|')]
    assert header[1:6] == ['data set', 'protocol', 'stream', 'ours', 'other']
    assert header[6:-1] == [f'{name} (paper)' for name in COMPARED]
    line = next(line for line in table.splitlines() if line.startswith('| ntu60 xsub | linear | joint |'))
    cells = dict(zip(header, (cell.strip() for cell in line.split('|'))))
    assert cells['ours'] == '50.0 (75.0)' and cells['other'] == '-'
    assert cells['I2MD (paper)'].startswith('83.4 [I2MD 1')
    # The two papers differ in CMD's number.
    assert cells['CMD (paper)'] == '79.4 [I2MD 1, I2MD 11]; 79.8 [CMD 1]'
    assert '| nw_ucla xview | linear | joint | - | 50.0 (75.0) | - |' in table
    assert 'knn, k = 5' in table and 'ECCV 2022' in table and 'arXiv 2310.15568' in table


def test_data_that_no_paper_has_are_compared_among_themselves(results):
    table = compare_reports(dict(ours=report_of(results, 'ntu60.pkl (unnamed) xsub')))
    assert '(paper)' not in table and 'No published number is kept' in table


def test_every_published_number_names_its_paper_and_table_and_stands_once_there():
    data = json.loads(PUBLISHED.read_text())
    keys = ('source', 'table', 'method', 'dataset', 'protocol', 'stream')
    places = [tuple(row[key] for key in keys) for row in data['rows']]
    assert len(set(places)) == len(places)
    for row in data['rows']:
        assert set(row) == {*keys, 'accuracy'} and row['table'].isdigit()
        assert row['source'] in data['sources'] and 0 < row['accuracy'] < 100
    assert {'I2MD', 'CMD', 'AimCLR'} == set(data['sources'])
    own = [row for row in data['rows'] if row['method'] == row['source'] == 'I2MD']
    assert {row['dataset'] for row in own} >= {'ntu60 xsub', 'ntu60 xview', 'ntu120 xsub', 'ntu120 xset'}


@pytest.mark.parametrize(
    'dataset, name',
    [
        (dict(name='ntu120', ann_file='data/ntu120_packed', split='xset_val'), 'ntu120 xset'),
        (dict(name='pku2', ann_file='anything.pkl', split='xsub_test'), 'pku2 xsub'),
        (dict(name='mine', ann_file='mine.pkl'), 'mine'),
        (dict(name='mine', ann_file='mine.pkl', split=None), 'mine'),
        (dict(name='mine', ann_file='mine.pkl', split='monday'), 'mine monday'),
        # A file that is called like a data set is none.
        (dict(ann_file='data/ntu60.pkl', split='xsub_val'), 'ntu60.pkl (unnamed) xsub'),
        (
            dict(type='ConcatDataset', datasets=[dict(name='a', split='x_val'), dict(name='b', split='y')]),
            'a x + b y',
        ),
    ],
)
def test_a_data_set_is_called_by_its_config_and_never_by_its_file(dataset, name):
    assert dataset_name(dataset) == name


def test_every_shipped_data_set_is_named_as_the_papers_name_it():
    papers = {row['dataset'] for row in json.loads(PUBLISHED.read_text())['rows']}
    names = set()
    for path in sorted((ROOT / 'configs').glob('i2md_*.py')):
        config = Config.fromfile(path)
        names.add(dataset_name(config.test_dataloader.dataset))
        train = config.train_dataloader.dataset
        assert train.get('datasets', [train])[0].name == config.test_dataloader.dataset.name
    small = {'nw_ucla xview', 'utd_mhad xsub', 'msr_action3d xsub', 'sbu fold1'}
    made = {'demo xsub', 'demo_2d xsub'}
    assert names - papers == {*made, 'ntu60_2d xsub', *small} and len(names & papers) == 5
