"""The tables of a study hold the figures of its results."""

import json
from dataclasses import replace

import numpy as np
import pytest

from i2md_mmaction.study.figures import MEAN, study_figures
from i2md_mmaction.study.results import Result, pack
from i2md_mmaction.study.table import format_difference, study_tables

METHODS = dict(untrained='untrained', moco='MoCo v2', cmd='CMD', mcl='MCL')
LAYOUT = dict(
    encoders=dict(gru=dict(title='BiGRU', baseline='moco', methods=METHODS)), data=dict(sbu='SBU', utd='UTD')
)


def result(method, data, seed, right, fold=None, **fields):
    """A run that got the first ``right`` of 10 samples right, and one fewer of the joints alone."""
    bits = {'all': pack(np.arange(10) < right), 'joint': pack(np.arange(10) < right - 1)}
    return Result('gru', method, data, seed, fold, 10, data, dict(knn=bits), **fields)


@pytest.fixture
def results():
    """Two seeds of each method, on two sets; CMD lacks one seed, the last method everything."""
    source = [dict(commit='abcdef01' + 32 * '0', threads=seed + 1) for seed in range(2)]
    cost = dict(parameters=1_234_567, seconds=90)
    return [
        result('untrained', 'sbu', 0, 2),
        *(
            result('moco', data, seed, 4 + seed, source=source[seed])
            for data in LAYOUT['data']
            for seed in (0, 1)
        ),
        *(
            result('cmd', 'sbu', seed, 6 + 2 * seed, cost=dict(cost, seconds=90 + 30 * seed))
            for seed in (0, 1)
        ),
        result('cmd', 'utd', 1, 9, cost=dict(cost, seconds=300)),
        result('other', 'sbu', 0, 1, source=dict(commit='of no method shown')),
    ]


@pytest.fixture
def figures(results):
    return study_figures(results, LAYOUT, draws=200)


def layout_with(**methods):
    """The layout with more methods."""
    encoder = dict(title='BiGRU', baseline='moco', methods=dict(METHODS, **methods))
    return dict(LAYOUT, encoders=dict(gru=encoder))


def rows_of(table):
    """The cells of a Markdown table, a list for each row."""
    return [[cell.strip() for cell in line[1:-1].split('|')] for line in table.splitlines()]


def find(figures, **keys):
    (row,) = [row for row in figures['scores'] if keys.items() <= row.items()]
    return row


def test_figures_are_means_over_seeds_and_differences_of_pairs(figures):
    row = find(figures, method='cmd', data='sbu', stream='all')
    assert row['accuracy']['by_seed'] == pytest.approx([60, 80])
    assert row['accuracy']['spread'] == pytest.approx(200**0.5)
    # Seeds 0 and 1: 6 - 4 and 8 - 5 of 10.
    assert row['difference']['value'] == pytest.approx(25)
    assert row['difference']['low'] < 25 < row['difference']['high']
    assert find(figures, method='moco', data='sbu', stream='all')['difference'] is None
    assert find(figures, method='cmd', data='sbu', stream='joint')['accuracy']['value'] == pytest.approx(60)


def test_the_mean_is_of_seeds_that_have_results_on_all_data_sets(figures):
    row = find(figures, method='cmd', data=MEAN, stream='all')
    # Seed 1 alone: (80 + 90) / 2, of which the baseline has 50.
    assert row['accuracy']['by_seed'] == pytest.approx([85])
    assert row['difference']['value'] == pytest.approx(35)
    assert not [row for row in figures['scores'] if (row['method'], row['data']) == ('untrained', MEAN)]


def test_raw_joints_stand_beside_every_seed(results):
    layout = layout_with(raw='raw joints')
    joints = [result('raw', 'sbu', 0, 3), result('raw', 'utd', 0, 5)]
    row = find(study_figures([*results, *joints], layout, draws=50), method='raw', data=MEAN, stream='all')
    assert row['accuracy']['by_seed'] == pytest.approx([40, 40])
    # MoCo has 4 of 10 with seed 0 on both sets, and 5 with seed 1.
    assert row['difference']['by_seed'] == pytest.approx([0, -10])


def test_a_ceiling_has_a_classifier_of_its_own_and_stands_beside_every_protocol(results):
    layout = layout_with(supervised='supervised')
    ceiling = replace(result('supervised', 'sbu', 0, 10), right=dict(supervised=dict(all=pack(10 * [True]))))
    other = Result('gcn', 'moco', 'sbu', 0, None, 10, 'sbu', dict(semi_10=dict(all=pack(10 * [True]))))
    figures = study_figures([*results, ceiling, other], layout, draws=50)
    # Beside those of its own encoder, that is.
    row = find(figures, method='supervised', data='sbu')
    assert (row['protocol'], row['accuracy']['value']) == ('knn', 100)
    assert row['difference']['by_seed'] == pytest.approx([60])
    assert '\n| *supervised* | 100.0 | - | - | - | 1 |' in study_tables(figures, layout)['knn']


def test_figures_are_kept_as_json(figures):
    assert json.loads(json.dumps(figures)) == figures


def test_a_fold_that_a_method_lacks_is_seen_by_the_folds_of_others():
    folds = [result('moco', 'sbu', 0, 5, fold) for fold in 'ab'] + [result('cmd', 'sbu', 0, 5, 'a')]
    layout = dict(LAYOUT, encoders=dict(gru=dict(title='', baseline='cmd', methods=dict(cmd='CMD'))))
    assert study_figures(folds, layout)['scores'] == []


def test_the_table_has_a_dash_for_what_is_absent_and_n_where_it_differs(figures):
    caption, table = study_tables(figures, LAYOUT)['knn'].split('\n\n')
    head, _, untrained, moco, cmd = rows_of(table)
    assert caption == '**BiGRU**, `knn`, differences from MoCo v2 with their 95 % intervals'
    assert head == ['', 'SBU', 'UTD', 'mean', 'difference', 'n']
    assert untrained == ['*untrained*', '20.0', '-', '-', '-', '1']
    assert moco == ['MoCo v2', '45.0 ± 7.1', '45.0 ± 7.1', '45.0 ± 7.1', 'baseline', '2']
    mean = find(figures, method='cmd', data=MEAN, stream='all')['difference']
    assert cmd == ['CMD', '70.0 ± 14.1', '90.0', '85.0', format_difference(mean), '1 to 2']


def test_no_column_n_where_all_are_the_same(results):
    layout = dict(
        encoders=dict(gru=dict(title='BiGRU', baseline='moco', methods=dict(moco='MoCo v2', cmd='CMD'))),
        data=dict(sbu='SBU'),
    )
    tables = study_tables(study_figures(results, layout, draws=50), layout)
    assert rows_of(tables['knn'].split('\n\n')[1])[0][-1] == 'difference'
    assert 'over n = 2 seeds. Stream' in ' '.join(tables['note'].split())


def test_each_stream_has_its_accuracy_and_its_difference_on_each_data_set(figures):
    _, accuracies, caption, differences = study_tables(figures, LAYOUT)['knn-streams'].split('\n\n')
    assert caption == '**BiGRU**, `knn`, differences from MoCo v2 with their 95 % intervals'
    assert ['CMD', 'joint', '60.0 ± 14.1', '80.0', '1 to 2'] in rows_of(accuracies)
    sbu, utd = (
        find(figures, method='cmd', data=data, stream='joint')['difference'] for data in ('sbu', 'utd')
    )
    assert ['CMD', 'joint', format_difference(sbu), format_difference(utd), '1 to 2'] in rows_of(differences)
    assert sbu['value'] == pytest.approx(25) and utd['value'] == pytest.approx(40)
    # Only methods stand against the baseline there.
    assert {row[0] for row in rows_of(differences)[2:]} == {'CMD'}


def test_cost_is_of_the_fastest_seed_from_the_least_data_set_to_the_most(figures):
    assert rows_of(study_tables(figures, LAYOUT)['cost'])[4:] == [
        ['BiGRU', 'CMD', '1.23', '-', '-', '1.5 to 5']
    ]


def test_the_note_names_all_that_the_results_shown_come_from(figures):
    note = study_tables(figures, LAYOUT)['note']
    assert '- commit: abcdef01\n- threads: 1, 2' in note and 'of no method shown' not in note
    prose = ' '.join(note.split())
    assert 'as many as a column n says' in prose and '200 bootstrap draws' in prose
    assert '`knn`: cosine k-NN' in note
    assert max(map(len, note.splitlines())) <= 120


def test_the_overview_has_the_means_of_all_protocols_and_encoders(results):
    # CMD has both sets of seed 1 alone, the second encoder neither CMD nor linear, which has fewer streams.
    both = []
    for run in results:
        more = dict(linear=dict(all=run.right['knn']['joint']))
        both.append(replace(run, encoder='gru', right=dict(run.right, **more)))
        if run.method != 'cmd':
            both.append(replace(run, encoder='gcn'))
    titles = dict(gru='BiGRU', gcn='ST-GCN', absent='Absent')
    layout = dict(
        LAYOUT,
        encoders={
            name: dict(title=title, baseline='moco', methods=METHODS) for name, title in titles.items()
        },
    )
    figures = study_figures(both, layout, draws=50)
    caption, table = study_tables(figures, layout)['overview'].split('\n\n')
    assert caption == "Means over data sets, and methods' differences from their baseline with 95 % intervals"
    knn, linear = (
        find(figures, encoder='gru', method='cmd', data=MEAN, protocol=name, stream='all')['difference']
        for name in ('knn', 'linear')
    )
    assert knn['value'] == linear['value'] == pytest.approx(35)
    moco = ['MoCo v2', '45.0 ± 7.1', 'baseline', '35.0 ± 7.1', 'baseline', '2']
    head, _, *rows = rows_of(table)
    assert head == ['', '`knn`', 'difference', '`linear`', 'difference', 'n']
    assert rows == [
        ['**BiGRU**', '', '', '', '', ''],
        moco,
        ['CMD', '85.0', format_difference(knn), '75.0', format_difference(linear), '1'],
        ['**ST-GCN**', '', '', '', '', ''],
        [*moco[:3], '-', '-', '2'],
    ]


def test_what_methods_are_seen_against_has_no_difference_in_the_overview(results):
    known = [run for run in results if (run.method, run.data) != ('untrained', 'sbu')]
    floors = [result('untrained', data, seed, 2 + seed) for data in LAYOUT['data'] for seed in (0, 1)]
    tables = study_tables(study_figures([*known, *floors], LAYOUT, draws=50), LAYOUT)
    assert ['*untrained*', '25.0 ± 7.1', '', '2'] in rows_of(tables['overview'].split('\n\n')[1])
    (row,) = [row for row in rows_of(tables['knn'].split('\n\n')[1]) if row[0] == '*untrained*']
    assert row[4].startswith('-20.0 [')


def test_single_streams_are_averaged_if_there_are_several(results):
    # Motion is right where all streams together are, joint for one sample fewer.
    several = [
        replace(run, right=dict(knn=dict(run.right['knn'], motion=run.right['knn']['all'])))
        for run in results
    ]
    figures = study_figures(several, LAYOUT, draws=50)
    row = find(figures, method='cmd', data='sbu', stream='each')
    assert row['accuracy']['by_seed'] == pytest.approx([55, 75])
    assert row['difference']['by_seed'] == pytest.approx([20, 30])
    tables = study_tables(figures, LAYOUT)
    _, accuracies, _, _ = tables['knn-streams'].split('\n\n')
    assert ['MoCo v2', 'each', '40.0 ± 7.1', '40.0 ± 7.1', '2'] in rows_of(accuracies)
    _, _, _, moco, cmd = rows_of(tables['overview-each'].split('\n\n')[1])
    assert moco == ['MoCo v2', '40.0 ± 7.1', 'baseline', '2'] and cmd[:2] == ['CMD', '80.0']


def test_streams_that_err_together_are_said_to_agree(results):
    # 5 of 10 each: bone as joint, motion on all but two samples, one for the other.
    joint, motion = np.arange(10) < 5, (np.arange(10) < 4) | (np.arange(10) == 9)
    streams = dict(joint=pack(joint), motion=pack(motion), bone=pack(joint), all=pack(joint | motion))
    alike = [replace(run, right=dict(knn=streams)) for run in results if run.method == 'moco']
    figures = study_figures(alike, LAYOUT, draws=50)
    each = find(figures, data=MEAN, stream='each')
    pairs = [np.corrcoef(joint, other)[0, 1] for other in (motion, joint, motion)]
    assert each['agreement'] == pytest.approx(np.mean(pairs)) and pairs[1] == pytest.approx(1)
    caption, table = study_tables(figures, LAYOUT)['knn-ensemble'].split('\n\n')
    assert caption == 'What streams add to one another, `knn`'
    moco = ['MoCo v2', '50.0 ± 0.0', '60.0 ± 0.0', '+10.0', f'{np.mean(pairs):.2f}']
    assert rows_of(table)[3:] == [moco]
    assert not [row for row in figures['scores'] if 'agreement' in row and row['stream'] != 'each']


def test_streams_of_which_one_is_always_right_agree_by_no_number(results):
    streams = dict(joint=pack([True] * 10), bone=pack(np.arange(10) < 5), all=pack([True] * 10))
    perfect = [replace(run, right=dict(knn=streams)) for run in results if run.method == 'moco']
    figures = study_figures(perfect, LAYOUT, draws=50)
    assert find(figures, data=MEAN, stream='each')['agreement'] is None
    table = study_tables(figures, LAYOUT)['knn-ensemble'].split('\n\n')[1]
    assert rows_of(table)[-1][-2:] == ['+25.0', '-']
