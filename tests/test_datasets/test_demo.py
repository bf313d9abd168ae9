"""Demo data: what the sequences must obey, and that the tool writes them faithfully."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from i2md_mmaction.datasets.demo import (
    ACTIONS,
    FRAME_RANGE,
    LAYOUT,
    NUM_ACTORS,
    Actor,
    forward_kinematics,
    make_demo_dataset,
    perform,
)
from tools import make_demo_data as tool

JOINT = {name: index for index, name in enumerate(LAYOUT.joints)}
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope='module')
def data():
    return make_demo_dataset(samples_per_class=18)


def make_actor(lead='right'):
    return Actor(stick_bones(), lead, amplitude=1.0, tempo=1.0)


def stick_bones():
    """Bones of one length that hang straight down."""
    return np.tile([0.0, 0.0, -0.5], (LAYOUT.num_joints, 1))


def bone_lengths(keypoint):
    """(..., edges) in metres."""
    child, parent = np.array(LAYOUT.edges).T
    return np.linalg.norm(keypoint[..., child, :] - keypoint[..., parent, :], axis=-1)


def seen_frames(person):
    """Frames of (T, V, C) that are not lost."""
    return person[np.any(person != 0, axis=(1, 2))]


def by_name(data):
    return {annotation['frame_dir']: annotation for annotation in data['annotations']}


@pytest.mark.parametrize('name', ACTIONS)
def test_bones_keep_their_length_through_every_action(name):
    bones = np.random.default_rng(7).normal(0, 0.2, (LAYOUT.num_joints, 3))
    actor = Actor(bones, 'left', amplitude=1.2, tempo=0.8)
    lengths = bone_lengths(perform(ACTIONS[name], (actor, actor), np.random.default_rng(3)))  # (M, T, edges)
    expected = np.linalg.norm(bones[[child for child, _ in LAYOUT.edges]], axis=-1)
    np.testing.assert_allclose(lengths, np.broadcast_to(expected, lengths.shape), atol=1e-9)


def test_a_turned_bone_carries_the_whole_limb_behind_it():
    angles = np.zeros((1, LAYOUT.num_joints, 3))
    angles[0, JOINT['right_elbow'], 0] = 90  # the upper arm forward; the forearm follows straight on
    angles[0, JOINT['right_hand'], 0] = 90  # the hand a quarter turn further, upwards
    joints = forward_kinematics(angles, stick_bones())[0]
    shoulder = joints[JOINT['right_shoulder']]
    np.testing.assert_allclose(joints[JOINT['right_wrist']] - shoulder, [0, 1.0, 0], atol=1e-12)
    np.testing.assert_allclose(joints[JOINT['right_hand']] - shoulder, [0, 1.0, 0.5], atol=1e-12)
    np.testing.assert_allclose(joints[JOINT['left_wrist']] - joints[JOINT['left_shoulder']], [0, 0, -1.0])


def test_left_handed_actors_do_the_action_with_the_left_arm():
    travel = {}
    for lead in ('left', 'right'):
        body = perform(ACTIONS['throw'], (make_actor(lead),) * 2, np.random.default_rng(0))[0]
        for side in ('left', 'right'):
            upper_arm = body[:, JOINT[f'{side}_elbow']] - body[:, JOINT[f'{side}_shoulder']]
            travel[lead, side] = np.abs(np.diff(upper_arm, axis=0)).sum()
    assert travel['left', 'left'] > 2 * travel['left', 'right']
    assert travel['right', 'right'] > 2 * travel['right', 'left']


def test_bodies_stand_upright_before_the_camera_at_human_size(data):
    for annotation in data['annotations']:
        for person in annotation['keypoint']:
            body = np.median(seen_frames(person), axis=0)  # y up, z depth
            feet = body[[JOINT['left_foot'], JOINT['right_foot']], 1].max()
            assert feet < body[JOINT['spine_base'], 1] < body[JOINT['shoulder_center'], 1]
            assert 0.9 < body[JOINT['head'], 1] - feet < 2.2
            assert 1.0 < body[JOINT['spine_base'], 2] < 6.0


def test_annotations_are_what_pose_dataset_reads(data):
    for annotation in data['annotations']:
        persons, frames, joints, coordinates = annotation['keypoint'].shape
        assert annotation['keypoint'].dtype == np.float32
        assert (joints, coordinates) == (25, 3)
        assert annotation['total_frames'] == frames
        assert FRAME_RANGE[0] <= frames <= FRAME_RANGE[1]
        assert persons == (2 if ACTIONS[data['class_names'][annotation['label']]].partner else 1)
        assert np.isfinite(annotation['keypoint']).all()
    assert len(by_name(data)) == len(data['annotations'])


def test_every_class_is_equally_often_in_every_split(data):
    annotations = by_name(data)
    for names in data['split'].values():
        counts = np.bincount([annotations[name]['label'] for name in names], minlength=len(ACTIONS))
        assert counts.min() > 0 and np.ptp(counts) == 0


@pytest.mark.parametrize('samples_per_class', [3, 18])
def test_splits_part_all_sequences_by_actor_and_by_camera(samples_per_class):
    data = make_demo_dataset(num_classes=3, samples_per_class=samples_per_class)
    for protocol, field in (('xsub', slice(8, 12)), ('xview', slice(4, 8))):  # S001CcccPpppRrrrAaaa
        train, val = (data['split'][f'{protocol}_{part}'] for part in ('train', 'val'))
        assert train and val
        assert sorted(train + val) == sorted(by_name(data))
        assert not {name[field] for name in train} & {name[field] for name in val}


def test_partners_of_validation_actors_are_never_seen_in_training():
    partner = [(actor + 3) % NUM_ACTORS for actor in range(NUM_ACTORS)]
    data = make_demo_dataset(num_classes=3, samples_per_class=NUM_ACTORS)
    held_out = {int(name[9:12]) - 1 for name in data['split']['xsub_val']}
    assert {partner[actor] for actor in held_out} == held_out


def test_some_frames_and_some_second_bodies_are_lost_but_never_a_whole_sequence(data):
    lost_frames, lost_bodies = 0, 0
    for annotation in data['annotations']:
        seen = np.any(annotation['keypoint'] != 0, axis=(2, 3))  # (M, T)
        assert seen[0].mean() > 0.8
        lost_frames += not seen[0].all()
        lost_bodies += len(seen) == 2 and bool((seen[0] & ~seen[1]).any())
    assert 0.1 < lost_frames / len(data['annotations']) < 0.5
    assert lost_bodies > 5


def test_same_seed_same_bytes_and_another_seed_other_data():
    first, again, other = (pickle.dumps(make_demo_dataset(2, 4, seed), protocol=4) for seed in (5, 5, 6))
    assert first == again != other


@pytest.mark.parametrize(
    'arguments, message',
    [
        (dict(num_classes=0), 'num_classes must be 1 to 10'),
        (dict(num_classes=11), 'got 11'),
        (dict(samples_per_class=2), 'samples_per_class must be at least 3'),
        (dict(seed=-1), 'seed must not be negative'),
    ],
)
def test_an_argument_out_of_range_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_demo_dataset(**arguments)


def test_tool_writes_the_data_and_reports_them(tmp_path, capsys):
    out = tmp_path / 'new' / 'demo.pkl'
    tool.main(['--out', str(out), '--seed', '4', '--num-classes', '3', '--samples-per-class', '3'])
    expected = make_demo_dataset(num_classes=3, samples_per_class=3, seed=4)
    assert out.read_bytes() == pickle.dumps(expected, protocol=4)
    report = capsys.readouterr().out
    assert 'sequences: 9' in report and 'wave, kick, handshake' in report
    assert '6 sequences of 1, 3 sequences of 2' in report


def test_tool_that_fails_in_the_middle_leaves_the_old_file_and_no_other(tmp_path):
    out = tmp_path / 'demo.pkl'
    out.write_bytes(b'old')
    with pytest.raises(Exception, match='pickle'):
        tool.write_pickle(dict(unpicklable=lambda: None), out)
    assert [path.name for path in tmp_path.iterdir()] == ['demo.pkl']
    assert out.read_bytes() == b'old'


def test_tool_refuses_bad_arguments_without_a_traceback(tmp_path, capsys):
    with pytest.raises(SystemExit):
        tool.main(['--out', str(tmp_path / 'demo.pkl'), '--samples-per-class', '1'])
    assert 'at least 3' in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
