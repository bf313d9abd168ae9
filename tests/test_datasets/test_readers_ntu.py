"""NTU RGB+D: ``.skeleton`` files, ordinary and odd."""

from pathlib import Path

import numpy as np
import pytest

from i2md_mmaction.datasets.readers import ReadError, ntu60, ntu120, read_missing_list
from i2md_mmaction.datasets.readers.conversion import read_file
from i2md_mmaction.datasets.readers.ntu import read_skeleton
from i2md_mmaction.datasets.readers.scratch import Scratch
from i2md_mmaction.datasets.readers.splits import (
    NTU60_PROTOCOLS,
    NTU60_TRAIN_SUBJECTS,
    NTU120_PROTOCOLS,
    NTU120_TRAIN_SUBJECTS,
    NTUName,
    split_names,
)

ROOT = Path(__file__).parents[2]
FIRST, SECOND, THIRD = 72057594037931101, 72057594037931102, 72057594037932233


@pytest.mark.parametrize('newline', ['\n', '\r\n'])
def test_x_y_z_of_every_joint_are_read_to_the_last_digit(ntu_file, body, newline):
    frames = [[(FIRST, body(t))] for t in range(4)]
    keypoint = read_skeleton(ntu_file(frames, newline=newline))
    expected = np.array([xyz for [(_, xyz)] in frames]).astype(np.float32)[None]
    assert keypoint.dtype == np.float32
    assert np.array_equal(keypoint, expected)


def test_white_space_of_another_width_reads_the_same(ntu_file, body):
    path = ntu_file([[(FIRST, body(t))] for t in range(3)])
    expected = read_skeleton(path)
    path.write_text(path.read_text().replace(' ', '  ').replace('\n', ' \n') + '\n\n')
    assert np.array_equal(read_skeleton(path), expected)


def test_a_frame_without_bodies_is_zeros(ntu_file, body):
    keypoint = read_skeleton(ntu_file([[(FIRST, body(0))], [], [(FIRST, body(2))]]))
    assert keypoint.any(axis=(0, 2, 3)).tolist() == [True, False, True]


def test_a_body_that_comes_and_goes_keeps_its_slot(ntu_file, body):
    a, b = body(0), body(1)
    frames = [[(FIRST, a), (SECOND, b)], [(SECOND, b)], [(SECOND, b), (FIRST, a)], [(FIRST, a)]]
    keypoint = read_skeleton(ntu_file(frames))
    zero = np.zeros_like(a)
    assert np.array_equal(keypoint, np.array([[a, zero, a, a], [b, b, b, zero]]).astype(np.float32))


def test_a_number_used_twice_in_a_frame_is_two_bodies(ntu_file, body):
    assert len(read_skeleton(ntu_file([[(FIRST, body(0)), (FIRST, body(1))]]))) == 2


def test_of_three_bodies_the_two_of_most_motion_are_kept(ntu_file, body):
    bodies = [(FIRST, body(0, 0.5)), (SECOND, body(1, 0.1)), (THIRD, body(2, 2.0))]
    reading = read(ntu_file([bodies] * 3))
    assert np.array_equal(reading.samples[0].keypoint[:, 0], np.float32([bodies[2][1], bodies[0][1]]))
    assert reading.notes == ['bodies of least motion left out']


def test_four_bodies_are_read_of_more(ntu_file, body):
    assert len(read_skeleton(ntu_file([[(number, body(number)) for number in range(6)]]))) == 4


def test_a_file_cut_anywhere_is_truncated_at_a_named_line(ntu_file, body):
    path = ntu_file([[(FIRST, body(0))], [], [(FIRST, body(1)), (SECOND, body(2))]])
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines):
        path.write_text('\n'.join([*lines[:number], line[: len(line) // 2]]))
        with pytest.raises(ReadError, match=rf'{path.name}.*(ends|expected)') as caught:
            read_skeleton(path)
        assert caught.value.reason == 'truncated file', number


@pytest.mark.parametrize(
    ('line', 'text', 'said'),
    [
        (0, 'three', r'line 1: expected a count.*three'),
        (1, '-', r'line 2, frame 1: expected a count'),
        (2, '1 2 3', r'line 3, frame 1: expected a count, or 10 tracking fields.*1 2 3'),
        (3, '20', r'line 4, frame 1: expected the joint count 25.*20'),
        (6, '0.1 0.2 0.3', r'line 7, frame 1: expected 12 numbers of joint 2'),
        (6, '0.1 x 0.3 4 5 6 7 8 9 10 11 2', r'line 7, frame 1: expected 12 numbers of joint 2.*0\.1 x'),
        (-1, '0.1 0.2 0.3 4 5 6 7 8 9 10 11 2\n1', r'line 58: text after the last of 2 frames'),
    ],
)
def test_a_malformed_line_is_named(ntu_file, body, line, text, said):
    path = ntu_file([[(FIRST, body(0))], [(FIRST, body(1))]])
    lines = path.read_text().splitlines()
    lines[line] = text
    path.write_text('\n'.join(lines))
    with pytest.raises(ReadError, match=said) as caught:
        read_skeleton(path)
    assert caught.value.reason == 'malformed file'


def read(path, **options):
    return read_file(ntu60([path.parent], **options), path)


def test_the_label_is_the_action_counted_from_0(ntu_file, body):
    [sample] = read(ntu_file([[(FIRST, body(0))]])).samples
    assert (sample.name, sample.label) == ('S001C002P003R002A013', 12)


@pytest.mark.parametrize('frames', [[], [[], []]])
def test_a_sequence_without_any_body_is_dropped(ntu_file, frames):
    [drop] = read(ntu_file(frames)).dropped
    assert drop[:2] == ('S001C002P003R002A013', 'no body in any frame')


def test_a_coordinate_that_is_not_finite_drops_the_sequence(ntu_file, body):
    bad = body(1)
    bad[4, 1] = np.nan
    [drop] = read(ntu_file([[(FIRST, body(0))], [(FIRST, bad)]])).dropped
    assert drop.reason == 'coordinate not finite'
    assert 'frame 2' in drop.detail


def person(body, seed):
    """Joints of somebody upright, (25, 3), metres."""
    return (body(seed) * [0.15, 0.5, 0.15]).round(4)


def test_denoise_drops_bodies_before_slots_are_given_away(ntu_file, body):
    # Five tracks of 11 frames come before two persons in the file, and four slots are read.
    persons = [(SECOND, person(body, 5)), (THIRD, person(body, 6))]
    path = ntu_file([[(n, person(body, n)) for n in range(5)] + persons] * 11 + [persons] * 2)
    [raw], [denoised] = read(path).samples, read(path, denoise=True).samples
    assert not raw.keypoint[:, -1].any()
    found = {xyz.tobytes() for frame in denoised.keypoint.swapaxes(0, 1) for xyz in frame}
    assert found == {np.float32(xyz).tobytes() for _, xyz in persons}
    assert denoised.keypoint.shape == (2, 13, 25, 3)


def test_denoise_notes_a_line_for_each_rule_of_a_sample_that_is_kept(ntu_file, body):
    wide, short = (THIRD, person(body, 1) * [20, 1, 1]), [(n, person(body, n)) for n in range(2)]
    path = ntu_file([[(FIRST, person(body, 0)), wide, *short]] * 11 + [[(FIRST, person(body, 0)), wide]])
    reading = read(path, denoise=True)
    assert reading.notes == ['bodies dropped by --denoise (length)', 'bodies dropped by --denoise (spread)']
    assert read(path).notes == ['bodies of least motion left out']
    nobody = np.zeros((25, 3))
    reading = read(ntu_file([[(FIRST, nobody), (SECOND, nobody)]] * 12), denoise=True)
    assert (reading.dropped[0].reason, reading.notes) == ('no body in any frame', [])


def test_denoise_does_not_hide_a_coordinate_that_is_not_finite(ntu_file, body):
    bad = person(body, 1)
    bad[4, 1] = np.nan
    path = ntu_file([[(FIRST, person(body, 0))]] * 20 + [[(FIRST, person(body, 0)), (SECOND, bad)]])
    [drop] = read(path, denoise=True).dropped
    assert drop.reason == 'coordinate not finite'


def test_what_was_read_without_denoise_is_not_taken_over_with_it(ntu_file, body):
    path = ntu_file([[(FIRST, body(0))]])
    sources = [
        maker([path.parent], denoise=denoise) for maker in (ntu60, ntu120) for denoise in (False, True)
    ]
    assert len({Scratch(path.with_suffix('.pkl'), source, [path]).folder for source in sources}) == 4
    assert ntu60([path.parent]) == sources[0]


def test_depth_and_colour_columns_may_hold_anything(ntu_file, body):
    path = ntu_file([[(FIRST, body(0))]])
    path.write_text(path.read_text().replace('277.419', '-1.#INF'))
    assert len(read(path).samples) == 1


def test_a_truncated_file_is_dropped_with_the_reason(ntu_file, body):
    path = ntu_file([[(FIRST, body(0))]])
    path.write_bytes(path.read_bytes()[:900])
    [drop] = read(path).dropped
    assert drop.reason == 'truncated file'
    assert str(path) in drop.detail


def test_listed_foreign_and_unnamed_files_are_dropped(ntu_file, body, tmp_path):
    (tmp_path / 'missing.txt').write_text('Below are 1 samples:\r\n\r\nS001C002P005R002A008\r\n')
    missing = read_missing_list(tmp_path / 'missing.txt')
    names = {
        'S001C002P005R002A008': 'on the list of missing skeletons',
        'S018C001P008R001A061': 'action not among the 60 of this dataset',
        'notes': 'not a name such as S001C002P003R002A013',
    }
    for name, reason in names.items():
        [drop] = read(ntu_file([[(FIRST, body(0))]], name), missing=missing).dropped
        assert drop[:2] == (name, reason)


def test_the_published_list_is_applied_unless_another_is_given(ntu_file, body):
    names = read_missing_list()
    assert len(names) == 535 and sum(NTUName.parse(name).action <= 60 for name in names) == 302
    path = ntu_file([[(FIRST, body(0))]], 'S001C002P005R002A008')
    [drop] = read_file(ntu60([path.parent]), path).dropped
    assert drop.reason == 'on the list of missing skeletons'
    assert len(read_file(ntu120([path.parent], missing=frozenset()), path).samples) == 1


@pytest.mark.parametrize('number, size', [(60, 302), (120, 535)])
def test_the_list_is_the_one_beside_the_data(number, size):
    published = ROOT.parent / f'shared/data/ntu/missing_skeletons_ntu{number}.txt'
    if not published.exists():
        pytest.skip(f'{published} is not here')
    names = set(published.read_text().split())
    assert len(names) == size
    assert {name for name in read_missing_list() if NTUName.parse(name).action <= number} == names


def test_a_missing_list_without_names_is_refused(tmp_path):
    (tmp_path / 'missing.txt').write_text('nothing here')
    with pytest.raises(ValueError, match='missing.txt: no name such as'):
        read_missing_list(tmp_path / 'missing.txt')


def test_a_suffix_in_capitals_and_a_byte_order_mark_are_read(ntu_file, body):
    path = ntu_file([[(FIRST, body(0))]])
    expected = read_skeleton(path)
    path.write_bytes(b'\xef\xbb\xbf' + path.read_bytes())
    path = path.rename(path.with_suffix('.SKELETON'))
    source = ntu60([path.parent])
    assert source.files() == {path.stem: path}
    [sample] = read_file(source, path).samples
    assert np.array_equal(sample.keypoint, expected)


def test_one_name_in_two_folders_is_refused(ntu_file, body, tmp_path):
    path = ntu_file([[(FIRST, body(0))]])
    (path.parent / 'copy').mkdir()
    (path.parent / 'copy' / path.name).write_bytes(path.read_bytes())
    with pytest.raises(ValueError, match='there twice'):
        ntu120([path.parent]).files()


def test_the_splits_are_the_published_ones():
    assert (len(NTU60_TRAIN_SUBJECTS), len(NTU120_TRAIN_SUBJECTS)) == (20, 53)
    names = ['S001C001P001R001A001', 'S002C002P003R001A001', 'S003C003P103R001A001', 'S004C001P106R001A001']
    assert split_names(names, NTU60_PROTOCOLS) == dict(
        xsub_train=names[:1], xsub_val=names[1:], xview_train=names[1:3], xview_val=[names[0], names[3]]
    )
    assert split_names(names, NTU120_PROTOCOLS) == dict(
        xsub_train=[names[0], names[2]],
        xsub_val=[names[1], names[3]],
        xset_train=[names[1], names[3]],
        xset_val=[names[0], names[2]],
    )
