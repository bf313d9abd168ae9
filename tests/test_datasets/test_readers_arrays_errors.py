"""Arrays that are not what their preparation promises: named with the remedy, and nothing is written."""

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from i2md_mmaction.datasets.readers import convert_arrays
from tools.data import convert as tool


@pytest.fixture
def folder(tmp_path):
    """A sound folder in the form of 2s-AGCN and CMD."""
    path = tmp_path / 'xsub'
    path.mkdir()
    for part in ('train', 'val'):
        np.save(path / f'{part}_data_joint.npy', np.ones((2, 3, 12, 25, 2), np.float32))
        (path / f'{part}_label.pkl').write_bytes(pickle.dumps(([f'{part}_a', f'{part}_b'], [0, 3])))
    return path


@pytest.fixture
def members():
    """The arrays of a sound ``.npz`` file of CTR-GCN."""
    arrays = {}
    for part in ('train', 'test'):
        arrays[f'x_{part}'] = np.ones((2, 12, 150), np.float32)
        arrays[f'y_{part}'] = np.eye(60)[[0, 3]]
    return arrays


def edit(change):
    return lambda path: np.save(path, change(np.load(path)))


def put(index, value):
    def change(array):
        array[index] = value
        return array

    return change


def dump(content):
    return lambda path: path.write_bytes(pickle.dumps(content))


def save(content):
    return lambda path: np.save(path, content)


# What is wrong with which file, and what the error says.
JOINTS, LABELS, COUNTS = 'train_data_joint.npy', 'val_label.pkl', 'val_num_frame.npy'
NAMES = ['val_a', 'val_b']
BAD = {
    'axes': (JOINTS, edit(lambda x: x[0]), r'float32 \(3, 12, 25, 2\), expected \(samples, '),
    'text': (JOINTS, edit(lambda x: x.astype(str)), r'<U.* of real numbers; make the array anew'),
    'order of axes': (JOINTS, edit(lambda x: x.transpose(0, 2, 3, 4, 1)), '12 coordinates where 2 or 3'),
    'joints': (JOINTS, edit(lambda x: x[:, :, :, :20]), "20 joints where layout 'ntu25' has 25.*--layout"),
    'NaN': (JOINTS, edit(put((1, 2, 6, 3, 0), np.nan)), r'sample 1 \(train_b\) .* in frame 6; repair it'),
    'objects': (JOINTS, save(np.array([{}])), 'Python objects.*make the file anew'),
    'truncated': (JOINTS, lambda path: path.write_bytes(path.read_bytes()[:-9]), 'mmap length.*fetch it'),
    'no array': (JOINTS, lambda path: path.write_bytes(b'hello'), 'magic string.*fetch it again'),
    'two': ('train_data.npy', save(0), 'train_data_joint.npy and train_data.npy may each be the joints'),
    'no labels': (LABELS, Path.unlink, 'joint.npy is without val_label.pkl or val_label.npy; put its labels'),
    'more labels': (
        LABELS,
        dump((NAMES, [0, 1, 2])),
        r'shape \(3,\), expected one for each of the 2 samples',
    ),
    'fewer names': (LABELS, dump((['a'], [0, 1])), r"list \['a'\], expected a list of 2 names"),
    'numbers as names': (LABELS, dump(([1, 2], [0, 1])), r'list \[1, 2\], expected a list of 2 names'),
    'no names': (LABELS, dump([0, 1, 2]), 'expected the pair of names and labels.*val_label.npy'),
    'ragged labels': (LABELS, dump((NAMES, [[0], [1, 2]])), 'inhomogeneous.*make the file anew'),
    'labels in text': (LABELS, dump((NAMES, ['0', '1'])), 'labels of <U1, expected whole numbers'),
    'fractions': (LABELS, dump((NAMES, [0.5, 1])), 'labels of float64, expected whole numbers'),
    'a label of -2': (LABELS, dump((NAMES, [0, -2])), 'label of sample 1 is -2, expected a class counted'),
    'code': (LABELS, dump((Path(), [0, 1])), 'expected plain values and NumPy arrays only'),
    'one name': (LABELS, dump((['val_a', 'val_a'], [0, 1])), "have the same name 'val_a'; put the labels"),
    'a name of both': (LABELS, dump((['train_b', 'b'], [0, 1])), 'and sample 0 of .*/val_.* name .train_b'),
    'more frames': (COUNTS, save([6, 13]), 'gives sample 1 13 frames, expected 1 to the 12 of the array'),
    'no frames': (COUNTS, save([0, 3]), 'gives sample 0 0 frames.*or move it away'),
    'fewer counts': (COUNTS, save([6]), r'is int64 \(1,\), expected a whole number for each of the 2'),
}


@pytest.mark.parametrize('name, spoil, message', BAD.values(), ids=BAD)
def test_what_is_wrong_with_a_folder_is_named_and_nothing_written(folder, tmp_path, name, spoil, message):
    spoil(folder / name)
    (tmp_path / 'out').mkdir()
    with pytest.raises((ValueError, OSError, pickle.UnpicklingError), match=f'{folder}.*{message}'):
        convert_arrays(folder, tmp_path / 'out' / 'a.pkl')
    assert not list((tmp_path / 'out').iterdir())


BAD_MEMBERS = {
    'no arrays': (dict.clear, r"holds \['other'\], expected x_train, y_train"),
    'no labels': (lambda a: a.pop('y_test'), 'x_test is without y_test, its labels; store both'),
    'width': (
        lambda a: a.update(x_train=a['x_train'][..., :-1]),
        r'x_train is of shape \(2, 12, 149\), expected \(samples, frames, persons \* 75\).*--layout',
    ),
    'axes': (lambda a: a.update(x_train=a['x_train'][0]), r'x_train is of shape \(12, 150\), expected'),
    'two ones': (lambda a: put((1, 5), 1)(a['y_test']), 'y_test: the label of sample 1 .* a one-hot row'),
    'no one': (lambda a: put((0, 0), 0)(a['y_test']), 'y_test: the label of sample 0 .* a one-hot row'),
    'a half': (lambda a: put((0, 0), 0.5)(a['y_test']), 'y_test: the label of sample 0 .* a one-hot row'),
    'fewer labels': (lambda a: a.update(y_test=a['y_test'][1:]), r'labels of shape \(1, 60\), expected one'),
    'infinity': (
        lambda a: put((1, 0, 9), np.inf)(a['x_test']),
        r'x_test: sample 1 \(test_000001\) .* frame 0',
    ),
}


@pytest.mark.parametrize('spoil, message', BAD_MEMBERS.values(), ids=BAD_MEMBERS)
def test_what_is_wrong_with_an_npz_file_is_named_and_nothing_written(members, tmp_path, spoil, message):
    spoil(members)
    path = tmp_path / 'NTU60_CS.npz'
    np.savez(path, other=np.zeros(1), **members)
    with pytest.raises((ValueError, OSError), match=f'{path}.*{message}'):
        convert_arrays(path, tmp_path / 'a.pkl')
    assert list(tmp_path.iterdir()) == [path]


def damage_objects(path):
    np.savez(path, x_train=np.array([{}]), y_train=np.eye(1))


def damage_compressed(path):
    noise = np.random.default_rng(0).integers(0, 256, (1, 300, 150), np.uint8)
    np.savez_compressed(path, x_train=noise, y_train=np.eye(1))
    content = bytearray(path.read_bytes())
    content[2000:2100] = bytes(100)
    path.write_bytes(content)


def damage_stored(path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, dict(descr='<f4', fortran_order=False, shape=(9999, 300, 150))
    )
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('x_train.npy', header.getvalue())
        archive.writestr('y_train.npy', b'')


@pytest.mark.parametrize(
    'damage', [lambda path: path.write_bytes(b'PK'), damage_objects, damage_compressed, damage_stored]
)
def test_a_damaged_npz_file_is_named(tmp_path, damage):
    path = tmp_path / 'NTU60_CS.npz'
    damage(path)
    with pytest.raises(ValueError, match=f'{path}.*make the file anew, or fetch it again'):
        convert_arrays(path, tmp_path / 'a.pkl')
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    'path, message',
    [
        ('xsub/none', 'is neither a folder nor an .npz file'),
        (f'xsub/{JOINTS}', 'is neither a folder nor an .npz file; name the folder of the .npy files'),
        ('.', 'none of train_data_joint.npy, train_position.npy, train_data.npy is here'),
    ],
)
def test_a_path_without_arrays_is_named(folder, tmp_path, path, message):
    with pytest.raises(FileNotFoundError, match=message):
        convert_arrays(folder.parent / path, tmp_path / 'a.pkl', split='xsub')


@pytest.mark.parametrize(
    'name, says', [('ntu60', 'no split'), ('xsub_xview', 'xsub and xview'), ('css', 'no')]
)
def test_a_folder_called_after_no_split_needs_a_name_for_it(folder, tmp_path, name, says):
    folder = folder.rename(tmp_path / name)
    with pytest.raises(
        ValueError, match=f"the name '{name}' says {says}.*name the split, as in --split xsub"
    ):
        convert_arrays(folder, tmp_path / 'a.pkl')
    assert not (tmp_path / 'a.pkl').exists()
    assert convert_arrays(folder, tmp_path / 'a.pkl', split='mine').splits == dict(mine_train=2, mine_val=2)


@pytest.mark.parametrize(
    'options, message', [(['--layout', 'kinect20'], 'kinect20'), (['--layout', 'x'], 'unknown')]
)
def test_the_command_line_says_what_is_wrong(folder, tmp_path, capsys, options, message):
    assert tool.main(['arrays', str(folder), '--out', str(tmp_path / 'a.pkl'), *options]) == 1
    assert message in capsys.readouterr().err
    assert not list(tmp_path.glob('*a.pkl*'))


def test_a_preparation_that_is_not_known_is_refused(folder, tmp_path, capsys):
    with pytest.raises(SystemExit):
        tool.main(['arrays', str(folder), '--out', str(tmp_path / 'a.pkl'), '--prenormalized', 'mine'])
    assert "invalid choice: 'mine'" in capsys.readouterr().err
