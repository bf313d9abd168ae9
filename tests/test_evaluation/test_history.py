"""What a run wrote of itself is read over all its resumptions, also after a kill."""

import json

import pytest

from i2md_mmaction.evaluation.history import read_knn_curves, read_quality_curves, read_term_curves
from i2md_mmaction.evaluation.run_page import run_panels
from tools import plot_run


def write_log(folder, entries, tail=''):
    path = folder / 'vis_data' / 'scalars.json'
    path.parent.mkdir(parents=True)
    path.write_text(''.join(json.dumps(entry) + '\n' for entry in entries) + tail)


def entry(step, accuracy):
    return {'knn/top1': accuracy, 'knn/top1_joint': accuracy - 1, 'step': step}


def test_a_resumed_run_is_one_curve_whose_later_values_count(tmp_path):
    write_log(tmp_path / '1', [{'loss': 1.0, 'step': 3}, entry(10, 50.0), entry(20, 60.0)])
    write_log(tmp_path / '2', [entry(20, 61.0), entry(30, 70.0)])
    curves = read_knn_curves(tmp_path)
    assert curves['all streams'] == ([10, 20, 30], [50.0, 61.0, 70.0])
    assert curves['joint'] == ([10, 20, 30], [49.0, 60.0, 69.0])


def test_half_a_line_that_a_kill_left_is_no_entry(tmp_path):
    write_log(tmp_path / '1', [entry(10, 50.0)], tail='{"knn/top1": 6')
    write_log(tmp_path / '2', [entry(20, 61.0)])
    assert read_knn_curves(tmp_path)['all streams'] == ([10, 20], [50.0, 61.0])


def test_a_line_that_is_broken_elsewhere_is_an_error(tmp_path):
    write_log(tmp_path / '1', [entry(10, 50.0)], tail='{"knn/top1": 6\n')
    with pytest.raises(json.JSONDecodeError):
        read_knn_curves(tmp_path)


def test_a_run_without_a_validation_has_no_curve(tmp_path):
    write_log(tmp_path / '1', [{'loss': 1.0, 'step': 3}])
    assert read_knn_curves(tmp_path) == {}


def test_terms_are_read_by_group_and_epoch(tmp_path):
    first = {'loss_nce_joint': 1.0, 'loss_nce_bone': 2.0, 'acc_nce_joint': 10.0, 'acc_nce_bone': 30.0}
    second = {'loss_nnm_joint_to_bone': 5.0, 'acc_nce_joint': 20.0, 'acc_nce_bone': 60.0}
    steps = [
        dict(first, loss=3.0, epoch=1, step=4),
        dict(first, loss=5.0, loss_nce_bone=4.0, epoch=1, step=8),
        entry(1, 50.0),
        dict(second, loss=5.0, epoch=2, step=12),
    ]
    write_log(tmp_path / '1', steps)
    assert read_term_curves(tmp_path) == {
        'loss': ([1, 2], [4.0, 5.0]),
        'loss_nce': ([1], [4.0]),
        'acc_nce': ([1, 2], [20.0, 40.0]),
        'loss_nnm': ([2], [5.0]),
    }
    assert read_term_curves(tmp_path / 'none') == {}


def quality(step, value):
    names = ('alignment', 'uniformity', 'std', 'rank')
    return {f'embedding/{name}{stream}': value for name in names for stream in ('', '_joint')} | {
        'step': step
    }


def test_a_page_has_a_panel_for_each_thing_that_was_measured(tmp_path, capsys):
    run = tmp_path / 'run'
    write_log(run / '1', [quality(5, 1.0), quality(10, 2.0)])
    curves = read_quality_curves(run)
    assert set(curves) == {'alignment', 'uniformity', 'std', 'rank'}
    assert curves['rank'] == {'all streams': ([5, 10], [1.0, 2.0]), 'joint': ([5, 10], [1.0, 2.0])}
    assert [list(panel.levels) for panel in run_panels(run)] == 4 * [['collapse']]
    write_log(
        run / '2', [entry(15, 50.0), dict(loss=3.0, loss_nce_joint=3.0, acc_nce_joint=5.0, epoch=15, step=30)]
    )
    losses, accuracies, knn, *qualities = run_panels(run)
    assert losses.curves == {'loss': ([15], [3.0]), 'loss_nce': ([15], [3.0])}
    assert accuracies.curves == {'acc_nce': ([15], [5.0])}
    assert set(knn.curves) == {'all streams', 'joint'} and len(qualities) == 4
    plot_run.main([str(run), '--out', str(tmp_path / 'pictures' / 'page.png')])
    assert (tmp_path / 'pictures' / 'page.png').read_bytes().startswith(b'\x89PNG')
    with pytest.raises(SystemExit, match=f'error: no log under {tmp_path / "pictures"} holds a step'):
        plot_run.main([str(tmp_path / 'pictures')])
    assert not list(tmp_path.glob('pictures/run.png'))
