"""Arrays that other preparations left, as their scripts write them, to a pickle."""

import json
import pickle
import tracemalloc

import numpy as np
import pytest

from i2md_mmaction.datasets import AnnotationError, SkeletonDataset, SkeletonPreNormalize
from i2md_mmaction.datasets.readers import PRENORMALIZED, convert_arrays
from i2md_mmaction.datasets.readers.array_files import open_arrays
from i2md_mmaction.skeletons import get_layout
from tools.data import convert as tool

FRAMES = 12
#: Frames of each person of each sample; the third has nobody.
PERSONS = dict(train=[(5,), (7, 9), (), (FRAMES, 0, 4)], val=[(0, 6), (3,)])
LABELS = dict(train=[0, 3, 1, 1], val=[3, 2])
NAMES = {part: [f'S001C00{i}P00{part == "val":d}R001A001' for i in range(9)] for part in PERSONS}
UNKNOWN = 'no zeros at the end, so that the true length is unknown'


def make_joints(part, coordinates=3, joints=25):
    """An array (N, C, T, V, M) and, made beside it, the samples (M, T, V, C) that are in it."""
    generator = np.random.default_rng(len(part))
    array = np.zeros((len(PERSONS[part]), coordinates, FRAMES, joints, 3), np.float32)
    samples = []
    for index, lengths in enumerate(PERSONS[part]):
        persons = []
        for person, length in enumerate(lengths):
            values = generator.normal(size=(length, joints, coordinates)).astype(np.float32)
            filled = np.zeros((max(lengths), joints, coordinates), np.float32)
            for frame in range(length):
                filled[frame] = values[frame]
                for joint in range(joints):
                    array[index, :, frame, joint, person] = values[frame, joint]
            if length:
                persons.append(filled)
        samples.append(persons)
    return array, samples


def expected(joints=make_joints):
    """Keypoints and label of every sample that is left, by its name."""
    return {
        NAMES[part][index]: (np.stack(persons), LABELS[part][index])
        for part in PERSONS
        for index, persons in enumerate(joints(part)[1])
        if persons
    }


def check(out, wanted, split='xsub'):
    """Holds a pickle against what is expected of it."""
    dataset = pickle.loads(out.read_bytes())
    annotations = dataset['annotations']
    assert [annotation['frame_dir'] for annotation in annotations] == list(wanted)
    for annotation, (keypoint, label) in zip(annotations, wanted.values()):
        np.testing.assert_array_equal(annotation['keypoint'], keypoint)
        assert annotation['keypoint'].dtype == np.float32 and type(annotation['label']) is int
        assert (annotation['label'], annotation['total_frames']) == (label, keypoint.shape[1])
    names = list(wanted)
    assert dataset['split'] == {f'{split}_train': names[:3], f'{split}_val': names[3:]}
    return dataset


def made_names(wanted, test='val'):
    """What is expected where nobody named the samples."""
    names = ['train_000000', 'train_000001', 'train_000003', f'{test}_000000', f'{test}_000001']
    return dict(zip(names, wanted.values()))


@pytest.fixture
def folder(tmp_path):
    """A folder in the form of 2s-AGCN and CMD."""
    path = tmp_path / 'ntu' / 'xsub'
    path.mkdir(parents=True)
    for part in PERSONS:
        joints, _ = make_joints(part)
        np.save(path / f'{part}_data_joint.npy', joints)
        names = [f'{name}.skeleton' for name in NAMES[part][: len(joints)]]
        (path / f'{part}_label.pkl').write_bytes(pickle.dumps((names, LABELS[part])))
    return path


@pytest.fixture
def members():
    """The arrays of an ``.npz`` file of CTR-GCN."""
    arrays = {}
    for part, other in (('train', 'train'), ('val', 'test')):
        joints, _ = make_joints(part)
        flat = np.zeros((len(joints), FRAMES, 3 * 25 * 3), np.float32)
        for person in range(3):
            for joint in range(25):
                for axis in range(3):
                    flat[:, :, 75 * person + 3 * joint + axis] = joints[:, axis, :, joint, person]
        arrays[f'x_{other}'] = flat
        arrays[f'y_{other}'] = np.zeros((len(joints), 60))
        for index, label in enumerate(LABELS[part]):
            arrays[f'y_{other}'][index, label] = 1
    return arrays


def rename(folder, kind):
    for file in folder.glob('*_data_joint.npy'):
        file.rename(file.with_name(file.name.replace('data_joint', kind)))


@pytest.mark.parametrize('kind', ['data_joint', 'position', 'data'])
def test_samples_are_those_that_the_array_was_made_of(folder, tmp_path, kind):
    rename(folder, kind)
    np.save(folder / 'train_data_bone.npy', np.zeros(3))  # a stream of 2s-AGCN that is not read
    summary = convert_arrays(folder, tmp_path / 'a.pkl')
    dataset = check(tmp_path / 'a.pkl', expected())
    assert set(dataset) == {'split', 'annotations'}
    assert (summary.sequences, summary.classes, summary.frames) == (5, 4, 5 + 9 + FRAMES + 6 + 3)
    assert summary.persons == {1: 3, 2: 2} and summary.splits == dict(xsub_train=3, xsub_val=2)
    written = json.loads((tmp_path / 'a.summary.json').read_text())
    assert written['notes'] == {UNKNOWN: 1}
    assert written['dropped'] == {
        'no body in any frame': [{'name': NAMES['train'][2], 'reason': 'no body in any frame', 'detail': ''}]
    }


def test_labels_without_names_get_them(folder, tmp_path):
    for part in PERSONS:
        (folder / f'{part}_label.pkl').unlink()
        np.save(folder / f'{part}_label.npy', LABELS[part])
    convert_arrays(folder, tmp_path / 'a.pkl')
    check(tmp_path / 'a.pkl', made_names(expected()))


def test_num_frame_says_the_length_of_clips_that_are_filled(folder, tmp_path):
    joints = np.load(folder / 'val_data_joint.npy')
    joints[:, :, 6:] = joints[:, :, :6]
    np.save(folder / 'val_data_joint.npy', joints)
    wanted = expected()
    assert convert_arrays(folder, tmp_path / 'a.pkl').notes == {UNKNOWN: 2}
    np.save(folder / 'val_num_frame.npy', [6, 3])
    assert convert_arrays(folder, tmp_path / 'b.pkl').notes == {UNKNOWN: 1}
    check(tmp_path / 'b.pkl', wanted)


def test_an_empty_frame_within_a_clip_stays(folder, tmp_path):
    joints = np.load(folder / 'val_data_joint.npy')
    joints[1, :, 1] = 0
    np.save(folder / 'val_data_joint.npy', joints)
    wanted = expected()
    wanted[NAMES['val'][1]][0][:, 1] = 0
    convert_arrays(folder, tmp_path / 'a.pkl')
    check(tmp_path / 'a.pkl', wanted)


@pytest.mark.parametrize('save', [np.savez, np.savez_compressed])
def test_an_npz_file_gives_the_same_samples(members, tmp_path, save):
    save(tmp_path / 'NTU60_CS.npz', **members)
    summary = convert_arrays(tmp_path / 'NTU60_CS.npz', tmp_path / 'a.pkl')
    check(tmp_path / 'a.pkl', made_names(expected(), 'test'))
    assert [drop.name for drop in summary.dropped['no body in any frame']] == ['train_000002']


def test_what_is_tested_on_is_val_unless_there_is_another_val(folder, tmp_path):
    for file in list(folder.glob('val_*')):
        file.rename(file.with_name(file.name.replace('val', 'test')))
    convert_arrays(folder, tmp_path / 'a.pkl')
    check(tmp_path / 'a.pkl', expected())
    for file in list(folder.glob('test_data*')):
        np.save(file.with_name('val_data_joint.npy'), np.load(file))
    np.save(folder / 'val_label.npy', LABELS['val'])
    assert set(convert_arrays(folder, tmp_path / 'b.pkl').splits) == {'xsub_train', 'xsub_val', 'xsub_test'}


def test_points_in_images_and_other_layouts_are_read(folder, tmp_path):
    for part in PERSONS:
        np.save(folder / f'{part}_data_joint.npy', make_joints(part, 2, 17)[0].astype(np.float16))
    convert_arrays(folder, tmp_path / 'a.pkl', layout='coco17')
    wanted = expected(lambda part: make_joints(part, 2, 17))
    check(
        tmp_path / 'a.pkl', {n: (k.astype(np.float16).astype(np.float32), y) for n, (k, y) in wanted.items()}
    )


@pytest.mark.parametrize('stored', [False, True])
def test_arrays_are_mapped_and_never_copied_whole(tmp_path, stored):
    shape = (60, 3, 300, 25, 2)
    if stored:
        path = tmp_path / 'a.npz'
        np.savez(path, x_train=np.zeros((60, 300, 150), np.float32), y_train=np.eye(60))
    else:
        path = tmp_path
        np.lib.format.open_memmap(path / 'train_data.npy', 'w+', np.float32, shape).flush()
        np.save(path / 'train_label.npy', np.arange(60))
    tracemalloc.start()
    try:
        [part] = open_arrays(path, get_layout('ntu25'))
        with pytest.raises(ValueError, match='none of 60 samples gave a sample'):
            convert_arrays(path, tmp_path / 'a.pkl', split='xsub')
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert part.joints.shape == shape and not part.joints.flags.owndata
    assert peak < part.joints.nbytes / 5


@pytest.mark.parametrize(
    'name, split',
    [
        *(('xsub', 'xsub'), ('NTU60_CS', 'xsub'), ('NTU120_CSub', 'xsub'), ('ntu120_cross_subject', 'xsub')),
        *(('xview', 'xview'), ('NTU60_CV', 'xview'), ('frame50_xview', 'xview')),
        *(('xset', 'xset'), ('NTU120_CSet', 'xset'), ('xsetup', 'xset'), ('cross-setup', 'xset')),
    ],
)
def test_the_split_is_called_after_the_folder(folder, tmp_path, name, split):
    convert_arrays(folder.rename(tmp_path / name), tmp_path / 'a.pkl')
    check(tmp_path / 'a.pkl', expected(), split)


@pytest.mark.parametrize('preparation', PRENORMALIZED)
def test_what_a_preparation_did_is_not_done_again(folder, tmp_path, preparation):
    out = tmp_path / 'a.pkl'
    convert_arrays(folder, out, prenormalized=preparation)
    step = SkeletonPreNormalize(**PRENORMALIZED[preparation])
    assert pickle.loads(out.read_bytes())['prenormalized'] == step.settings
    dataset = SkeletonDataset(str(out), [step], split='xsub_train')
    assert dataset.pipeline.transforms == []
    for index, name in enumerate(dataset.names):
        np.testing.assert_array_equal(dataset[index]['keypoint'], expected()[name][0])
    with pytest.raises(AnnotationError, match='was pre-normalised when it was made'):
        SkeletonDataset(str(out), [SkeletonPreNormalize(center=None)], split='xsub_train')


def agcn(sample):
    """2s-AGCN's ``pre_normalization`` of one sample (M, T, V, C), but for the filling of null frames."""
    centre = sample[0, :, 1:2].copy()
    mask = sample.sum(-1, keepdims=True) != 0
    sample = (sample - centre) * mask
    for (start, end), axis in (((0, 1), [0, 0, 1]), ((4, 8), [1, 0, 0])):
        line = sample[0, 0, end] - sample[0, 0, start]
        turn = np.cross(line, axis) / np.linalg.norm(np.cross(line, axis))
        angle = np.arccos(line @ axis / np.linalg.norm(line))
        cross = np.array([[0, -turn[2], turn[1]], [turn[2], 0, -turn[0]], [-turn[1], turn[0], 0]])
        rotation = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
        sample = sample @ rotation.T
    return sample


def by_person(sample):
    """AimCLR's: each person around the joint 20, in each frame."""
    return np.stack([person - person[:, 20:21] for person in sample])


def ctr_gcn(sample):
    """CTR-GCN's ``seq_translation``: everyone around the spine of the first person in the first frame."""
    return sample - sample[0, 0, 1]


@pytest.mark.parametrize('preparation, script', [('agcn', agcn), ('aimclr', by_person), ('ctr-gcn', ctr_gcn)])
def test_what_is_noted_is_what_the_scripts_do(preparation, script):
    sample = np.random.default_rng(0).normal(size=(2, 6, 25, 3))
    ours = SkeletonPreNormalize(**PRENORMALIZED[preparation])(dict(keypoint=sample))['keypoint']
    np.testing.assert_allclose(ours, script(sample), atol=1e-5)


def test_frames_that_were_moved_as_a_whole_are_normalised_as_raw_ones_are():
    sample = np.random.default_rng(0).normal(size=(2, 6, 25, 3))
    moved, raw = (
        SkeletonPreNormalize()(dict(keypoint=frames))['keypoint'] for frames in (ctr_gcn(sample), sample)
    )
    np.testing.assert_allclose(moved, raw, atol=1e-5)


def test_samples_without_labels_are_taken(folder, tmp_path):
    for part in PERSONS:
        np.save(folder / f'{part}_label.npy', np.full(len(PERSONS[part]), -1))
        (folder / f'{part}_label.pkl').unlink()
    convert_arrays(folder, tmp_path / 'a.pkl')
    assert len(SkeletonDataset(str(tmp_path / 'a.pkl'), [], num_persons=2).unlabelled) == 5


def test_the_command_line_converts(folder, tmp_path, capsys):
    out = tmp_path / 'a.pkl'
    assert tool.main(['arrays', str(folder), '--out', str(out), '--prenormalized', 'agcn']) == 0
    printed, progress = capsys.readouterr()
    assert '5 sequences, 4 classes' in printed and f'{UNKNOWN}: 1\n' in printed
    assert f'no body in any frame: 1 ({NAMES["train"][2]})' in printed
    assert '6/6 samples' in progress
    assert check(out, expected())['prenormalized'] == SkeletonPreNormalize().settings
    assert tool.main(['arrays', str(folder), '--out', str(out), '--split', 'mine', '--layout', 'ntu25']) == 0
    assert 'prenormalized' not in check(out, expected(), 'mine')
