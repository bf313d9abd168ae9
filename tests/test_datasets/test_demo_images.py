"""The filmed demo data: where a camera would see the joints, and mmaction2's form of 2-D skeletons."""

import pickle

import numpy as np
import pytest
from mmaction.datasets import PoseDataset
from mmengine.registry import init_default_scope

from i2md_mmaction.datasets.demo import LAYOUT, make_demo_dataset
from i2md_mmaction.datasets.demo_images import COCO, coco_joints, film_dataset, project
from tools import make_demo_data as tool

C = {name: index for index, name in enumerate(COCO.joints)}
K = {name: index for index, name in enumerate(LAYOUT.joints)}


@pytest.fixture(scope='module')
def data():
    return make_demo_dataset(num_classes=5, samples_per_class=9)


@pytest.fixture(scope='module')
def filmed(data):
    return film_dataset(data)


def test_a_joint_is_where_a_pinhole_camera_sees_it(data, filmed):
    body = data['annotations'][0]['keypoint'].astype(np.float64)
    seen = filmed['annotations'][0]
    for name in ('left_wrist', 'right_ankle', 'left_hip'):
        for frame in np.flatnonzero(seen['keypoint_score'][0, :, C[name]]):
            x, y, depth = body[0, frame, K[name]]
            expected = (960 - 1060 * x / depth, 540 - 1060 * y / depth)
            assert seen['keypoint'][0, frame, C[name]] == pytest.approx(expected, abs=0.01)


def test_the_face_of_a_person_who_faces_the_camera():
    body = np.zeros((1, 1, 25, 3))
    for name, place in dict(
        neck=(0, 0.5, 3), head=(0, 0.65, 3), left_shoulder=(-0.2, 0.4, 3), right_shoulder=(0.2, 0.4, 3)
    ).items():
        body[0, 0, K[name]] = place
    joints = coco_joints(body)[0, 0]
    pixels = project(joints)
    # Their right is on the left of the image, and of the face the nose is nearest to the camera.
    assert pixels[C['right_ear'], 0] < pixels[C['right_eye'], 0] < pixels[C['nose'], 0]
    assert pixels[C['nose'], 0] == pytest.approx(960)
    assert pixels[C['nose'], 0] < pixels[C['left_eye'], 0] < pixels[C['left_ear'], 0]
    assert joints[C['nose'], 2] < joints[C['left_eye'], 2] < joints[C['left_ear'], 2] == 3
    assert pixels[C['left_eye'], 1] < pixels[C['nose'], 1] < pixels[C['left_shoulder'], 1]  # y downward


def test_the_form_is_that_of_published_two_dimensional_pickles(data, filmed):
    assert filmed['split'] == data['split'] and filmed['class_names'] == data['class_names']
    missed = 0
    for before, after in zip(data['annotations'], filmed['annotations']):
        assert (after['frame_dir'], after['label']) == (before['frame_dir'], before['label'])
        persons, frames = before['keypoint'].shape[:2]
        assert after['keypoint'].shape == (persons, frames, 17, 2)
        assert after['keypoint_score'].shape == (persons, frames, 17)
        assert after['img_shape'] == after['original_shape'] == (1080, 1920)
        lost = ~before['keypoint'].any(axis=(2, 3))
        assert not after['keypoint'][lost].any()
        np.testing.assert_array_equal(after['keypoint'].any(axis=-1), after['keypoint_score'] > 0)
        seen = after['keypoint_score'][~lost]
        assert seen.max() <= 1 and seen[seen > 0].min() >= 0.5
        missed += bool((seen == 0).any())
    assert 0.2 * len(data['annotations']) < missed < 0.8 * len(data['annotations'])
    assert 'keypoint_score' not in data['annotations'][0]  # the bodies are left as they are


def test_the_same_seed_gives_the_same_bytes(data):
    first, again, other = (pickle.dumps(film_dataset(data, seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_the_tool_writes_it_and_mmaction2_reads_it(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tool.main(['--layout', 'coco17', '--num-classes', '2', '--samples-per-class', '3', '--seed', '5'])
    written = tmp_path / 'data/demo/coco17_demo.pkl'
    expected = film_dataset(make_demo_dataset(2, 3, 5), 5)
    assert written.read_bytes() == pickle.dumps(expected, protocol=4)
    assert 'sequences: 6' in capsys.readouterr().out
    init_default_scope('mmaction')
    # mmaction2's own recipe for 2-D skeletons.
    pipeline = [
        dict(type='PreNormalize2D'),
        dict(type='GenSkeFeat', dataset='coco', feats=['j']),
        dict(type='UniformSampleFrames', clip_len=10),
        dict(type='PoseDecode'),
        dict(type='FormatGCNInput', num_person=2),
        dict(type='PackActionInputs'),
    ]
    dataset = PoseDataset(str(written), pipeline, split='xsub_train')
    assert dataset[0]['inputs'].shape == (1, 2, 10, 17, 3)  # its third coordinate is the score
