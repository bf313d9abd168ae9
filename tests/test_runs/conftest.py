"""A data set on which a real run takes seconds."""

import pickle

import numpy as np
import pytest


@pytest.fixture
def tiny_dataset():
    """Writes samples of the layout 'ntu25' with one or two persons, all in split 'train'."""

    def write(path, samples):
        generator = np.random.default_rng(0)
        annotations = [
            dict(
                frame_dir=f'sample_{number}',
                label=number % 2,
                total_frames=20 + number,
                keypoint=generator.normal(size=(1 + number % 2, 20 + number, 25, 3)).astype(np.float32),
            )
            for number in range(samples)
        ]
        names = [annotation['frame_dir'] for annotation in annotations]
        path.write_bytes(pickle.dumps(dict(split=dict(train=names), annotations=annotations)))
        return path

    return write
