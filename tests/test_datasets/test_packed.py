"""The safe, memory-mapped form of a dataset."""

import json
import os
import pickle

import numpy as np
import pytest
from mmaction.datasets import PoseDataset

from i2md_mmaction.datasets import packed
from i2md_mmaction.datasets.packed import read_packed
from i2md_mmaction.datasets.packing import write_packed
from i2md_mmaction.io import load_pickle


def make_dataset(dtype=np.float32, seed=0, **extra):
    """Sequences of other lengths and persons, one of them empty."""
    rng = np.random.default_rng(seed)
    annotations = []
    for number, (persons, frames) in enumerate([(1, 5), (2, 3), (1, 0), (2, 7)]):
        keypoint = rng.normal(size=(persons, frames, 25, 3)).astype(dtype)
        annotations.append(
            dict(frame_dir=f'né_{number}', label=number, total_frames=frames, keypoint=keypoint, **extra)
        )
    return dict(split=dict(xsub_train=['né_3', 'né_0'], xsub_val=['né_1']), annotations=annotations)


def assert_same(loaded, dataset):
    assert loaded['split'] == dataset['split']
    assert len(loaded['annotations']) == len(dataset['annotations'])
    for got, expected in zip(loaded['annotations'], dataset['annotations']):
        assert got.keys() == expected.keys()
        for field, value in expected.items():
            assert type(got[field]) is type(value)
            if isinstance(value, np.ndarray):
                assert got[field].dtype == value.dtype
                np.testing.assert_array_equal(got[field], value, strict=True)
            else:
                assert got[field] == value


@pytest.mark.parametrize('dtype', [np.float16, np.float32, '>f8'])
def test_round_trip_is_exact(tmp_path, dtype):
    dataset = make_dataset(dtype)
    write_packed(dataset, tmp_path / 'packed')
    assert_same(read_packed(tmp_path / 'packed'), dataset)


def test_scores_and_image_shapes_travel_too(tmp_path):
    dataset = make_dataset(img_shape=(1080, 1920), note=None)
    for annotation in dataset['annotations']:
        annotation['keypoint_score'] = annotation['keypoint'][..., 0].astype(np.float16)
    write_packed(dataset, tmp_path)
    assert_same(read_packed(tmp_path), dataset)


def test_a_packed_dataset_packs_again_to_the_same_files(tmp_path):
    write_packed(make_dataset(), tmp_path / 'a')
    write_packed(read_packed(tmp_path / 'a'), tmp_path / 'b')
    assert contents(tmp_path / 'a') == contents(tmp_path / 'b')


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_arrays_are_read_only_views_of_the_mapped_file(tmp_path):
    write_packed(make_dataset(), tmp_path)
    annotations = read_packed(tmp_path)['annotations']
    first, last = annotations[0]['keypoint'], annotations[-1]['keypoint']
    with pytest.raises(ValueError, match='read-only'):
        first[:] = 0
    base = first
    while not isinstance(base, np.memmap):
        base = base.base
    assert np.shares_memory(base, last)


def test_workers_get_the_path_and_not_the_frames(tmp_path):
    write_packed(make_dataset(), tmp_path)
    annotations = read_packed(tmp_path)['annotations']
    sent = pickle.dumps(annotations)
    assert len(sent) < 1000
    np.testing.assert_array_equal(pickle.loads(sent)[1]['keypoint'], annotations[1]['keypoint'])


def test_annotations_index_like_a_list(tmp_path):
    write_packed(make_dataset(), tmp_path)
    annotations = read_packed(tmp_path)['annotations']
    assert [a['frame_dir'] for a in annotations[1:3]] == ['né_1', 'né_2']
    assert annotations[-1]['frame_dir'] == annotations[np.int64(3)]['frame_dir'] == 'né_3'
    with pytest.raises(IndexError, match='sample 4 of 4'):
        annotations[4]


def test_pose_dataset_takes_it_as_it_takes_the_pickle(tmp_path, monkeypatch):
    expected = make_dataset()
    write_packed(expected, tmp_path / 'packed.pkl')
    monkeypatch.setattr('mmaction.datasets.pose_dataset.mmengine.load', read_packed)
    dataset = PoseDataset(str(tmp_path / 'packed.pkl'), [], split='xsub_train', serialize_data=False)
    for got, number in zip(dataset, (0, 3), strict=True):
        assert got['frame_dir'] == expected['annotations'][number]['frame_dir']
        np.testing.assert_array_equal(got['keypoint'], expected['annotations'][number]['keypoint'])


def test_writing_again_replaces_the_old_dataset(tmp_path):
    write_packed(make_dataset(seed=0), tmp_path)
    (tmp_path / '.index.json.1.partial').touch()
    (tmp_path / 'notes.txt').touch()
    held = read_packed(tmp_path)
    write_packed(make_dataset(seed=1), tmp_path)
    assert_same(read_packed(tmp_path), make_dataset(seed=1))
    assert_same(held, make_dataset(seed=0))
    assert len(contents(tmp_path)) == 3


def test_a_write_that_fails_leaves_the_old_dataset(tmp_path, monkeypatch):
    write_packed(make_dataset(seed=0), tmp_path)
    monkeypatch.setattr(packed.json, 'dumps', lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_packed(make_dataset(seed=1), tmp_path)
    assert_same(read_packed(tmp_path), make_dataset(seed=0))


@pytest.mark.parametrize('field', ['../x', '/abs/x', 'a b', 'ü', '', 'x-0123456789abcdef.npy'])
def test_an_array_field_that_cannot_name_a_file_is_refused_before_anything_is_written(tmp_path, field):
    field = str(tmp_path / 'abs') if field.startswith('/') else field
    dataset = make_dataset()
    for annotation in dataset['annotations']:
        annotation[field] = annotation['keypoint'][..., 0]
    with pytest.raises(ValueError, match=r'array fields \[.*\] cannot name files; rename them'):
        write_packed(dataset, tmp_path / 'inside' / 'packed')
    assert not list(tmp_path.iterdir())


def test_arrays_of_another_shape_than_the_keypoints_are_kept(tmp_path):
    dataset = make_dataset()
    for number, annotation in enumerate(dataset['annotations']):
        persons, frames = annotation['keypoint'].shape[:2]
        annotation['frame_inds'] = np.arange(frames)
        annotation['box_score'] = np.array([0.5, 0.25, number], dtype=np.float32)
        annotation['boxes'] = np.full((number, persons, 4), number, dtype=np.int16)
        annotation['keypoint_score'] = annotation['keypoint'][..., 0]
    write_packed(dataset, tmp_path / 'packed')
    assert_same(read_packed(tmp_path / 'packed'), dataset)
    annotations = read_packed(tmp_path / 'packed')['annotations'].take([3, 1])
    np.testing.assert_array_equal(annotations[0]['boxes'], dataset['annotations'][3]['boxes'])
    write_packed(read_packed(tmp_path / 'packed'), tmp_path / 'again')
    assert contents(tmp_path / 'packed') == contents(tmp_path / 'again')


def test_a_folder_of_the_form_before_is_read(tmp_path):
    write_packed(make_dataset(), tmp_path)
    index = json.loads((tmp_path / 'index.json').read_text())
    assert index.pop('loose') == {}
    (tmp_path / 'index.json').write_text(json.dumps(dict(index, format='i2md-packed-2')))
    assert_same(read_packed(tmp_path), make_dataset())


FOREIGN = ('mine.partial', '.mine.7.partial', 'keypoint-0123456789abcdef.npy', 'keypoint-best.npy', 'a.npy')


def test_only_files_that_packing_made_are_removed(tmp_path):
    for name in FOREIGN:
        (tmp_path / name).write_text(name)
    write_packed(make_dataset(seed=0), tmp_path)
    [first] = [path for path in tmp_path.glob('keypoint-*.npy') if path.name not in FOREIGN]
    left_by_kills = '.index.json.4.partial', f'.{first.name}.17.partial'
    for name in left_by_kills:
        (tmp_path / name).touch()
    write_packed(make_dataset(seed=1), tmp_path)
    [second] = [path for path in tmp_path.glob('keypoint-*.npy') if path.name not in FOREIGN]
    assert first != second and set(contents(tmp_path)) == {*FOREIGN, 'index.json', second.name}
    assert all((tmp_path / name).read_text() == name for name in FOREIGN)


def test_what_was_written_is_opened_before_the_old_dataset_gives_way(tmp_path, monkeypatch):
    write_packed(make_dataset(seed=0), tmp_path)
    read = packed._map_array
    with monkeypatch.context() as patch:
        patch.setattr(packed, '_map_array', lambda path, rows: read(path, rows) * 0)
        with pytest.raises(ValueError, match='keypoint of sample 0 was not read back as it was written'):
            write_packed(make_dataset(seed=1), tmp_path)
    assert_same(read_packed(tmp_path), make_dataset(seed=0))


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path):
    (tmp_path / 'packed').write_text('a file')
    with pytest.raises(NotADirectoryError, match='packed is a file; name a folder'):
        write_packed(make_dataset(), tmp_path / 'packed')
    assert (tmp_path / 'packed').read_text() == 'a file'


def spoil(dataset, field, value):
    dataset['annotations'][1][field] = value
    return dataset


@pytest.mark.parametrize(
    ('field', 'value', 'said'),
    [
        ('keypoint', np.zeros((2, 3, 25, 3), np.float16), 'sample 1: keypoint is float16.*float32'),
        (
            'keypoint',
            np.zeros((2, 3, 17, 3), np.float32),
            r'sample 1: keypoint.*\(2, 3, 17, 3\).*\(2, 3, 25, 3\)',
        ),
        ('more', 1, 'sample 1 has the fields'),
        ('label', {1}, 'set .* cannot be packed'),
        ('label', (1,), 'sample 1: label is tuple'),
    ],
)
def test_a_sample_of_another_form_is_named(tmp_path, field, value, said):
    with pytest.raises(ValueError, match=said):
        write_packed(spoil(make_dataset(), field, value), tmp_path)


@pytest.mark.parametrize('dataset', [[], dict(split={}, annotations=[]), dict(annotations=[1])])
def test_what_is_no_dataset_is_refused(tmp_path, dataset):
    with pytest.raises(ValueError, match="expected a dict of 'split' and a non-empty 'annotations'"):
        write_packed(dataset, tmp_path)


def test_a_truncated_array_file_is_named(tmp_path):
    write_packed(make_dataset(), tmp_path)
    [path] = tmp_path.glob('keypoint-*.npy')
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=f'{path.name}.*pack the dataset again'):
        read_packed(tmp_path)


def test_an_array_file_of_other_length_is_named(tmp_path):
    write_packed(make_dataset(), tmp_path)
    [path] = tmp_path.glob('keypoint-*.npy')
    np.save(path, np.zeros((3, 25, 3)))
    with pytest.raises(ValueError, match='has 3 rows, its index 25'):
        read_packed(tmp_path)


def test_an_index_reaches_no_file_outside(tmp_path):
    write_packed(make_dataset(), tmp_path)
    index = json.loads((tmp_path / 'index.json').read_text())
    index['arrays']['keypoint'] = '../secret.npy'
    (tmp_path / 'index.json').write_text(json.dumps(index))
    with pytest.raises(ValueError, match='secret'):
        read_packed(tmp_path)


def test_what_is_no_packed_dataset_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match='convert.py pack'):
        read_packed(tmp_path)
    (tmp_path / 'index.json').write_text('{"format": "other"}')
    with pytest.raises(ValueError, match='i2md-packed-3'):
        read_packed(tmp_path)


@pytest.mark.parametrize('protocol', range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_plain_pickles_load(tmp_path, protocol):
    dataset = make_dataset(np.float16, score=np.float32(0.5))
    (tmp_path / 'a.pkl').write_bytes(pickle.dumps(dataset, protocol))
    assert_same(load_pickle(tmp_path / 'a.pkl'), dataset)


class RunsCode:
    def __reduce__(self):
        return os.mkdir, ('ran',)


def test_a_pickle_that_would_run_code_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'a.pkl').write_bytes(pickle.dumps(dict(split={}, annotations=[RunsCode()])))
    with pytest.raises(pickle.UnpicklingError, match='a.pkl: holds (posix|nt).mkdir'):
        load_pickle(tmp_path / 'a.pkl')
    assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize('content', [b'', b'{}', pickle.dumps(make_dataset())[:-50]])
def test_a_file_that_is_no_whole_pickle_is_named(tmp_path, content):
    (tmp_path / 'a.pkl').write_bytes(content)
    with pytest.raises(pickle.UnpicklingError, match=r'a\.pkl: \w+'):
        load_pickle(tmp_path / 'a.pkl')
