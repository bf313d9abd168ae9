"""PKU-MMD: recordings, labels and split files."""

from codecs import BOM_UTF8

import numpy as np
import pytest

from i2md_mmaction.datasets.readers import pku
from i2md_mmaction.datasets.readers.conversion import convert, read_file

XSUB = 'Training videos:\r\n0002-L, 0003-M,\r\nValidataion videos:\r\n0004-R, \r\n'
XVIEW = 'Training videos:\n0002-L, 0004-R\nValidataion videos:\n0003-M'


@pytest.fixture
def dataset(tmp_path):
    """Three recordings of 400 frames; the second person is there from frame 200."""
    for folder in ('skeleton', 'label', 'Split'):
        (tmp_path / folder).mkdir()
    for number, name in enumerate(('0002-L', '0003-M', '0004-R')):
        write_recording(tmp_path, name, make_bodies(number))
        write_labels(tmp_path, name, '10,100,180,2', '51,220,300,1')
    (tmp_path / 'Split' / 'cross-subject.txt').write_text(XSUB)
    (tmp_path / 'Split' / 'cross-view.txt').write_text(XVIEW)
    return tmp_path


def make_bodies(seed):
    bodies = np.random.default_rng(seed).normal(size=(2, 400, 25, 3)).round(6) * np.array([1, 0.5]).reshape(
        2, 1, 1, 1
    )
    bodies[1, :200] = 0
    return bodies


def write_recording(root, name, bodies, newline='\n'):
    rows = bodies.swapaxes(0, 1).reshape(bodies.shape[1], 150)
    text = newline.join(' '.join(f'{value:.6f}' for value in row) for row in rows) + newline
    (root / 'skeleton' / f'{name}.txt').write_bytes(text.encode())


def write_labels(root, name, *lines, newline='\n'):
    (root / 'label' / f'{name}.txt').write_bytes((newline.join(lines) + newline).encode())


def read(root, name='0002-L'):
    return read_file(pku(root), root / 'skeleton' / f'{name}.txt')


@pytest.mark.parametrize(
    'skeletons, labels',
    [('PKU_Skeleton_Renew', 'Train_Label_PKU_final'), ('Data/skeleton_v2', 'Label/label_v2')],
)
def test_folders_are_found_under_the_names_that_people_have(dataset, skeletons, labels):
    for old, new in (('skeleton', skeletons), ('label', labels)):
        (dataset / new).parent.mkdir(exist_ok=True)
        (dataset / old).rename(dataset / new)
    content, _ = convert(pku(dataset))
    assert len(content['annotations']) == 6
    (dataset / 'old_skeletons').mkdir()
    (dataset / 'old_skeletons' / '0002-L.txt').write_text('0')
    with pytest.raises(FileNotFoundError, match='expected one folder of skeleton files.*--skeletons'):
        pku(dataset)
    assert len(convert(pku(dataset, skeletons=skeletons))[0]['annotations']) == 6


def test_a_byte_order_mark_is_no_part_of_a_number(dataset):
    before, _ = convert(pku(dataset))
    for path in (path for path in dataset.rglob('*.txt')):
        path.write_bytes(BOM_UTF8 + path.read_bytes())
    after, summary = convert(pku(dataset))
    assert not summary.dropped and after['split'] == before['split']
    for one, other in zip(before['annotations'], after['annotations']):
        np.testing.assert_array_equal(one['keypoint'], other['keypoint'])


@pytest.mark.parametrize('newline', ['\n', '\r\n'])
def test_every_span_is_a_sample_named_file_index(dataset, newline):
    bodies = make_bodies(7)
    write_recording(dataset, '0002-L', bodies, newline)
    write_labels(dataset, '0002-L', '10,100,180,2', '51,220,300,1', newline=newline)
    first, second = read(dataset).samples
    assert (first.name, first.label, second.name, second.label) == ('0002-L_0', 9, '0002-L_1', 50)
    np.testing.assert_allclose(first.keypoint, bodies[:1, 100:180], atol=5e-7)
    np.testing.assert_allclose(second.keypoint, bodies[:, 220:300], atol=5e-7)


def test_a_span_over_300_frames_is_cut_and_counted(dataset):
    write_labels(dataset, '0002-L', '1,10,390,2')
    reading = read(dataset)
    assert reading.samples[0].keypoint.shape == (2, 300, 25, 3)
    assert reading.notes == ['cut to 300 frames']


def test_a_span_past_the_end_is_cut_and_counted(dataset):
    write_labels(dataset, '0002-L', '1,390,410,2')
    reading = read(dataset)
    assert reading.samples[0].keypoint.shape[1] == 10
    assert reading.notes == ['span ended at the last frame of the recording']


@pytest.mark.parametrize('span', ['50,50', '60,50', '400,420', '-5,20'])
def test_an_empty_or_foreign_span_is_dropped_and_the_next_keeps_its_index(dataset, span):
    write_labels(dataset, '0002-L', f'1,{span},2', '2,0,20,2')
    reading = read(dataset)
    assert reading.dropped[0][:2] == ('0002-L_0', 'span empty or outside the recording')
    assert reading.samples[0].name == '0002-L_1'


def test_a_span_without_a_body_is_dropped_alone(dataset):
    bodies = make_bodies(0)
    bodies[:, 100:180] = 0
    write_recording(dataset, '0002-L', bodies)
    reading = read(dataset)
    assert reading.dropped[0][:2] == ('0002-L_0', 'no body in any frame')
    assert [sample.name for sample in reading.samples] == ['0002-L_1']


def test_a_truncated_recording_names_file_and_line(dataset):
    path = dataset / 'skeleton' / '0002-L.txt'
    lines = path.read_text().splitlines()
    path.write_text('\n'.join([*lines[:30], lines[30][:100]]))
    [drop] = read(dataset).dropped
    assert drop.reason == 'truncated file'
    assert '0002-L.txt, line 31: expected 150 numbers' in drop.detail


def test_a_word_in_a_recording_names_file_and_line(dataset):
    path = dataset / 'skeleton' / '0002-L.txt'
    lines = path.read_text().splitlines()
    lines[4] = 'x' + lines[4]
    path.write_text('\n'.join(lines))
    [drop] = read(dataset).dropped
    assert drop.reason == 'malformed file'
    assert 'line 5: expected 150 numbers' in drop.detail


@pytest.mark.parametrize(
    ('line', 'said'),
    [('1,2', 'expected label,start,end'), ('52,1,9,2', 'label 52'), ('a,1,9,2', "got b'a,1,9,2'")],
)
def test_a_malformed_label_names_file_and_line(dataset, line, said):
    write_labels(dataset, '0002-L', '1,1,9,2', line)
    [drop] = read(dataset).dropped
    assert '0002-L.txt, line 2: ' in drop.detail
    assert said in drop.detail


def test_samples_follow_their_recording_into_the_splits(dataset):
    converted, summary = convert(pku(dataset))
    assert converted['split']['xsub_train'] == ['0002-L_0', '0002-L_1', '0003-M_0', '0003-M_1']
    assert converted['split']['xsub_val'] == ['0004-R_0', '0004-R_1']
    assert converted['split']['xview_val'] == ['0003-M_0', '0003-M_1']
    assert (summary.sequences, summary.classes, summary.persons) == (6, 2, {1: 3, 2: 3})


def test_a_recording_that_is_named_but_absent_is_dropped_by_name(dataset):
    (dataset / 'skeleton' / '0003-M.txt').unlink()
    (dataset / 'label' / '0004-R.txt').unlink()
    _, summary = convert(pku(dataset))
    named = {reason: [drop.name for drop in drops] for reason, drops in summary.dropped.items()}
    assert named == {
        'no skeleton file of the recording': ['0003-M'],
        'no label file of the recording': ['0004-R'],
    }


def test_a_sample_in_no_split_is_counted(dataset):
    write_recording(dataset, '0009-L', make_bodies(9))
    write_labels(dataset, '0009-L', '1,1,90,2')
    _, summary = convert(pku(dataset))
    assert summary.notes == {'in no split': 1}


@pytest.mark.parametrize(
    'text', ['', 'a, b', 'Training videos:\na', 'Training videos:\na\nValidation videos:\na']
)
def test_a_split_file_of_another_form_is_refused(dataset, text):
    (dataset / 'Split' / 'cross-subject.txt').write_text(text)
    with pytest.raises(ValueError, match='cross-subject.txt.*section'):
        pku(dataset).files()


def test_a_split_file_that_is_not_there_is_named(dataset):
    (dataset / 'Split' / 'cross-view.txt').unlink()
    with pytest.raises(FileNotFoundError, match='expected one split file.*--xview'):
        pku(dataset)
