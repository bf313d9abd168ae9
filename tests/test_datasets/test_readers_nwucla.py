"""NW-UCLA: JSON files."""

import json

import numpy as np
import pytest

from i2md_mmaction.datasets.readers import NWUCLA, convert
from i2md_mmaction.datasets.readers.conversion import read_file

KEYPOINT = np.random.default_rng(0).normal(size=(6, 20, 3)).round(5)


@pytest.fixture
def json_file(tmp_path):
    def write(skeletons=KEYPOINT, name='a08_s03_e01_v02'):
        path = tmp_path / f'{name}.json'
        path.write_text(json.dumps(dict(file_name=name, skeletons=np.array(skeletons).tolist(), label=7)))
        return path

    return write


def read(path):
    return read_file(NWUCLA(path.parent), path)


def test_a_sequence_is_one_person(json_file):
    [sample] = read(json_file()).samples
    assert np.array_equal(sample.keypoint, KEYPOINT.astype(np.float32)[None])


def test_actions_become_classes_in_their_order(json_file, tmp_path):
    actions = (1, 2, 3, 4, 5, 6, 8, 9, 11, 12)
    for action in actions:
        json_file(name=f'a{action:02d}_s01_e00_v01')
    converted, _ = convert(NWUCLA(tmp_path))
    assert [annotation['label'] for annotation in converted['annotations']] == list(range(10))


def test_the_splits_are_the_published_ones(json_file, tmp_path):
    a, b, c = names = ['a01_s01_e00_v01', 'a01_s02_e00_v02', 'a01_s03_e00_v03']
    for name in names:
        json_file(name=name)
    converted, _ = convert(NWUCLA(tmp_path))
    assert converted['split'] == dict(xview_train=[a, b], xview_val=[c], xsub_train=[a, c], xsub_val=[b])


@pytest.mark.parametrize('frames', [0, 3])
def test_a_sequence_without_frames_or_body_is_dropped(json_file, frames):
    assert read(json_file(np.zeros((frames, 20, 3)))).dropped[0].reason == 'no body in any frame'


@pytest.mark.parametrize(
    ('skeletons', 'said'),
    [(KEYPOINT[:, :19], 'frame 1: expected 20 joints, got 19'), (KEYPOINT[:3, :, :2], 'not three numbers')],
)
def test_another_shape_is_named(json_file, skeletons, said):
    path = json_file(skeletons)
    [drop] = read(path).dropped
    assert str(path) in drop.detail
    assert said in drop.detail


@pytest.mark.parametrize(
    ('text', 'reason'),
    [('{"skeletons": [[[0.1, 0.2', 'truncated file'), ('[]', 'malformed file'), ('', 'truncated file')],
)
def test_a_file_that_is_no_such_json_is_dropped(json_file, text, reason):
    path = json_file()
    path.write_text(text)
    assert read(path).dropped[0].reason == reason


@pytest.mark.parametrize('name', ['a07_s01_e00_v01', 'labels'])
def test_a_file_of_another_name_or_action_is_dropped(json_file, name):
    assert read(json_file(name=name)).dropped[0].name == name
