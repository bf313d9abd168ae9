"""Clips whose features are known, and pages of them."""

import numpy as np
import pytest

from i2md_mmaction.explore import EmbeddedClips, make_content, write_page
from i2md_mmaction.skeletons import get_layout

#: Names that would break a page that takes them for HTML, JSON or a template.
NASTY = ('</script><b id="broken">', '{{content}} & "quotes" \\', '<!-- ünïcode \u2028 #&=%')


def walks(generator, *shape):
    """Joints (M, T, V, C) that move a little from frame to frame, standing upright along the last axis."""
    body = generator.normal(size=(shape[0], 1, *shape[2:]))
    return (body + 0.1 * generator.normal(size=shape).cumsum(axis=1)).astype(np.float32)


@pytest.fixture
def make_clips():
    """Makes clips of three classes in two splits, some with two persons; the first three have nasty names."""

    def make(
        count=24,
        layout='kinect20',
        coordinates=3,
        labels=None,
        dims=6,
        frames=40,
        persons=None,
        drawn_of=None,
    ):
        generator = np.random.default_rng(0)
        table = get_layout(layout)
        numbers = range(count)
        names = [*NASTY, *(f'clip_{number}' for number in numbers)][:count]
        shapes = [
            (persons or 1 + number % 2, frames + number % 3, table.num_joints, coordinates)
            for number in numbers
        ]
        return EmbeddedClips(
            names=names,
            labels=np.arange(count) % 3 if labels is None else np.array(labels),
            splits=['train' if number < count // 2 else 'val' for number in numbers],
            joints=[walks(generator, *shape) for shape in shapes],
            features=generator.normal(size=(count, dims)).astype(np.float32),
            layout=table,
            class_names=['sit <down>', 'stand & up', 'wave'],
            available=drawn_of or count,
        )

    return make


@pytest.fixture
def make_page(make_clips, tmp_path):
    """Writes a page whose clips stand on a grid six wide; returns its content and its path."""

    def make(**options):
        clips = make_clips(**options)
        points = np.array([(number % 6, number // 6) for number in range(len(clips.names))], float)
        content = make_content(
            clips, points, k=4, title='a <b>title</b>', about=[('Clips', 'of <i>a test</i>')]
        )
        return content, write_page(content, tmp_path / 'page.html')

    return make
