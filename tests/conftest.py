"""Fixtures shared by all tests: the real data where it is at hand, and a tiny file like NTU's."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings
from mmengine.logging import MessageHub

import i2md_mmaction  # noqa: F401, registers all parts and lets mmaction.models be imported

# Examples are drawn alike in every run, and a slow machine fails none of them.
settings.register_profile('i2md', deadline=None, derandomize=True, max_examples=25, database=None)
settings.load_profile('i2md')

# torch warns of most things once a process; a warning fails the test that causes it, whichever ran before.
torch.set_warn_always(True)


@pytest.fixture(autouse=True)
def apart_from_other_tests():
    """MMEngine knows a run by its name and the second: it would go on from the best score of another test."""
    MessageHub._instance_dict.clear()


@pytest.fixture(scope='session')
def nwucla_file():
    """The real NW-UCLA pickle; $I2MD_DATA names its folder."""
    shared = Path(__file__).resolve().parents[2] / 'shared' / 'data'
    path = Path(os.environ.get('I2MD_DATA', shared)) / 'nw_ucla_3d.pkl'
    if not path.is_file():
        pytest.skip(f'{path} is not there; set I2MD_DATA to the folder of nw_ucla_3d.pkl')
    return path


@pytest.fixture
def ntu_annotations():
    """Four samples of the layout 'ntu25': 12, 30, 7 and 1 frames, the second of two persons."""
    generator = np.random.default_rng(0)
    shapes = ((1, 12), (2, 30), (1, 7), (1, 1))
    return [
        dict(
            frame_dir=f'sample{number}',
            label=number % 2,
            total_frames=frames,
            keypoint=generator.normal(size=(persons, frames, 25, 3)).astype(np.float32),
        )
        for number, (persons, frames) in enumerate(shapes)
    ]


@pytest.fixture
def write_annotations(tmp_path):
    """Writes annotations as mmaction2's pickle, all but the last in 'train', that in 'val'."""

    def write(annotations, name='tiny.pkl', **content):
        names = [annotation.get('frame_dir') for annotation in annotations]
        content = {'split': dict(train=names[:-1], val=names[-1:]), 'annotations': annotations, **content}
        path = tmp_path / name
        path.write_bytes(pickle.dumps(content))
        return path

    return write


@pytest.fixture
def ntu_pickle(ntu_annotations, write_annotations):
    """The tiny pickle of :func:`ntu_annotations`."""
    return write_annotations(ntu_annotations)
