"""projects/custom_skeleton: files of one's own, converted as its page says."""

import pickle

import numpy as np
import pytest

from i2md_mmaction.datasets import SkeletonDataset
from i2md_mmaction.datasets.demo import make_demo_dataset
from i2md_mmaction.datasets.readers import ReadError
from projects.custom_skeleton import convert, make_examples
from projects.custom_skeleton.nite15 import NITE15

COLUMNS = convert.column_names(NITE15)


def write_csv(path, rows, columns=COLUMNS, newline='\n'):
    lines = [','.join(columns), *(','.join(map(str, row)) for row in rows)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((newline.join(lines) + newline).encode())
    return path


def row(frame, person, value=1.0):
    return [frame, person, *(value + np.arange(45))]


def test_examples_come_back_as_the_demo_data_and_load(tmp_path, capsys):
    make_examples.main([str(tmp_path / 'raw'), '--num-classes', '3', '--samples-per-class', '4'])
    out = tmp_path / 'a.pkl'
    command = [str(tmp_path / 'raw'), '--val-subjects', 'P03', '--out', str(out), '--workers', '1']
    assert convert.main(command) == 0
    assert '12 sequences, 3 classes' in (printed := capsys.readouterr().out)
    assert 'labels: 0 handshake, 1 kick, 2 wave' in printed
    content = pickle.loads(out.read_bytes())
    demo = {a['frame_dir']: a['keypoint'] for a in make_demo_dataset(3, 4, seed=0)['annotations']}
    for annotation in content['annotations']:
        keypoint = demo[annotation['frame_dir'][4:]][:, :, make_examples.JOINTS]
        seen = np.flatnonzero(keypoint.any(axis=(0, 2, 3)))
        keypoint = keypoint[:, seen[0] : seen[-1] + 1]
        assert sorted(map(np.sum, keypoint)) == pytest.approx(
            sorted(map(np.sum, annotation['keypoint'])), 1e-4
        )
    assert {name[:3] for name in content['split']['val']} == {'P03'}
    assert len(content['split']['train']) == 9
    dataset = SkeletonDataset(str(out), [], split='train', layout='nite15', num_classes=3)
    assert dataset.get_data_info(0)['keypoint'].shape[2:] == (15, 3)


def test_columns_in_any_order_lost_frames_and_windows_files(tmp_path):
    order = np.random.default_rng(0).permutation(len(COLUMNS))
    rows = [row(5, 2), row(7, 2, 3.0), row(7, 9, 2.0)]
    shuffled = [[r[i] for i in order] + [8] for r in rows]
    columns = [COLUMNS[i] for i in order] + ['confidence']
    keypoint = convert.read_csv(write_csv(tmp_path / 'a.csv', shuffled, columns, '\r\n'), NITE15)
    assert keypoint.shape == (2, 3, 15, 3)
    np.testing.assert_array_equal(keypoint[0, 2].ravel(), 3 + np.arange(45))
    np.testing.assert_array_equal(keypoint[1, 2].ravel(), 2 + np.arange(45))
    assert not keypoint[0, 1].any() and not keypoint[1, :2].any()


@pytest.mark.parametrize(
    ('rows', 'columns', 'said'),
    [
        ([], COLUMNS[:-1], "line 1: no column .'right_foot_z'"),
        ([row(0, 0)[:-1] + ['x']], COLUMNS, 'expected numbers in every row'),
        ([row(0, 0), row(0, 0)], COLUMNS, 'one row for each pair'),
        ([row(0.5, 0)], COLUMNS, 'whole numbers .* --frames order'),
        ([row(33 * t, 0) for t in range(60)], COLUMNS, 'only 60 of 1948 frames.*--frames order'),
        ([row(3 * t, 0) for t in range(5)], COLUMNS, 'only 5 of 13 frames have a row'),
        ([row(2 * t, 0) for t in range(3)], COLUMNS, 'only 3 of 5 frames have a row'),
    ],
)
def test_a_bad_csv_is_named(tmp_path, rows, columns, said):
    with pytest.raises(ReadError, match=said) as caught:
        convert.read_csv(write_csv(tmp_path / 'a.csv', rows, columns), NITE15)
    assert str(tmp_path / 'a.csv') in str(caught.value)


@pytest.mark.parametrize('times', [[0, 33, 66], [0, 2, 4], [0.5, 0.75, 7.25]])
def test_time_stamps_are_taken_in_their_order_where_that_is_said(tmp_path, times):
    rows = [row(time, 0, value) for value, time in enumerate(times)]
    file = write_csv(tmp_path / 'raw/wave/P01_a.csv', [rows[1], rows[2], row(times[2], 4, 9.0), rows[0]])
    keypoint = convert.read_csv(file, NITE15, frames='order')
    np.testing.assert_array_equal(keypoint[0, :, 0, 0], [0, 1, 2])
    np.testing.assert_array_equal(keypoint[1, :, 0, 0], [0, 0, 9])
    file.rename(file.with_name('P02_a.csv'))
    write_csv(file, rows)
    command = [str(tmp_path / 'raw'), '--val-subjects', 'P02', '--out', str(tmp_path / 'a.pkl')]
    assert convert.main([*command, '--workers', '1', '--frames', 'order']) == 0
    samples = pickle.loads((tmp_path / 'a.pkl').read_bytes())['annotations']
    assert [sample['total_frames'] for sample in samples] == [3, 3]


def test_numpy_files_of_three_or_four_axes_are_read_and_others_named(tmp_path):
    path = tmp_path / 'a.npy'
    for shape in ((4, 15, 3), (2, 4, 15, 3)):
        np.save(path, np.ones(shape))
        assert convert.read_npy(path, NITE15).shape == (2 if len(shape) == 4 else 1, 4, 15, 3)
    np.save(path, np.ones((4, 17, 3)))
    with pytest.raises(ReadError, match=r'a\.npy.*15, 3.*got \(4, 17, 3\)'):
        convert.read_npy(path, NITE15)


def test_an_empty_or_unreadable_file_is_dropped_and_the_rest_converted(tmp_path, capsys):
    write_csv(tmp_path / 'raw/wave/P01_a.csv', [row(0, 0)])
    write_csv(tmp_path / 'raw/wave/P02_b.csv', [])
    write_csv(tmp_path / 'raw/wave/P02_c.csv', [row(0, 0)], COLUMNS[1:])
    command = [str(tmp_path / 'raw'), '--val-subjects', 'P02', '--out', str(tmp_path / 'a.pkl')]
    assert convert.main([*command, '--workers', '1']) == 0
    printed = capsys.readouterr().out
    assert '1 sequences' in printed and 'dropped: 2' in printed and 'P02_c.csv, line 1' in printed
    assert convert.main([*command, '--pattern', '*.npy']) == 1
    assert 'no *.npy file' in capsys.readouterr().err
