"""Whatever is damaged in an annotation file: a named error before the first step, or a right sample."""

import pickle

import numpy as np
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes
from mmaction.datasets.transforms import PackActionInputs

from i2md_mmaction.datasets import AnnotationError, SkeletonDataset, SkeletonPreNormalize

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.binary(max_size=5)
)
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(st.one_of(st.text(max_size=3), st.integers()), inner, max_size=3),
    ),
    max_leaves=5,
)
DTYPES = (np.float16, np.float32, np.float64, np.int16, np.uint8, bool, complex, 'U2', object)
ARRAYS = st.builds(
    lambda dtype, shape: np.ones(shape).astype(dtype),
    st.sampled_from(DTYPES),
    st.one_of(
        st.tuples(st.integers(0, 3), st.integers(0, 4), st.just(25), st.sampled_from([2, 3])),
        array_shapes(min_dims=0, max_dims=5, max_side=3),
    ),
)
FIELDS = ('keypoint', 'label', 'total_frames', 'frame_dir', 'filename', 'keypoint_score')
#: What is damaged: a field of a sample, a sample, a list of the file, or the bytes themselves.
DAMAGE = st.one_of(
    st.tuples(st.just('field'), st.integers(0, 2), st.sampled_from(FIELDS), st.one_of(JUNK, ARRAYS)),
    st.tuples(st.just('drop'), st.integers(0, 2), st.sampled_from(FIELDS)),
    st.tuples(st.just('value'), st.integers(0, 2), st.floats(width=32)),
    st.tuples(st.just('sample'), st.integers(0, 2), JUNK),
    st.tuples(st.just('part'), st.sampled_from(['split', 'annotations', 'train']), JUNK),
    st.tuples(st.just('bytes'), st.floats(0, 1), st.binary(max_size=8)),
)


def sound():
    generator = np.random.default_rng(0)
    annotations = [
        dict(
            frame_dir=f'sample{number}',
            label=number % 2,
            total_frames=4,
            keypoint=generator.normal(size=(1, 4, 25, 3)).astype(np.float32),
        )
        for number in range(3)
    ]
    return dict(split=dict(train=['sample0', 'sample1', 'sample2']), annotations=annotations)


def damaged(damages):
    """The bytes of a file with some damage done to it."""
    content, cuts = sound(), []
    for kind, *where in damages:
        samples = content.get('annotations') if isinstance(content, dict) else None
        whole = isinstance(samples, list) and len(samples) == 3
        sample = samples[where[0]] if kind in ('field', 'drop', 'value', 'sample') and whole else None
        if kind == 'field' and isinstance(sample, dict):
            sample[where[1]] = where[2]
        elif kind == 'drop' and isinstance(sample, dict):
            sample.pop(where[1], None)
        elif kind == 'value' and isinstance(sample, dict) and isinstance(sample.get('keypoint'), np.ndarray):
            if sample['keypoint'].dtype.kind == 'f' and sample['keypoint'].size:
                sample['keypoint'].flat[0] = where[1]
        elif kind == 'sample' and whole:
            samples[where[0]] = where[1]
        elif kind == 'part' and where[0] == 'train' and isinstance(content.get('split'), dict):
            content['split']['train'] = where[1]
        elif kind == 'part':
            content[where[0]] = where[1]
        elif kind == 'bytes':
            cuts.append(where)
    data = pickle.dumps(content)
    for share, patch in cuts:
        place = int(share * len(data))
        data = data[:place] + patch + data[place + len(patch) :] if patch else data[:place]
    return data


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damages=st.lists(DAMAGE, max_size=3), split=st.sampled_from(['train', None]), drop=st.booleans())
def test_damage_is_a_named_error_or_a_right_sample(tmp_path, damages, split, drop):
    path = tmp_path / 'damaged.pkl'
    path.write_bytes(damaged(damages))
    pipeline = [SkeletonPreNormalize(), PackActionInputs(meta_keys=())]
    try:
        with np.errstate(all='ignore'):
            dataset = SkeletonDataset(str(path), pipeline, split=split, num_classes=2, drop_invalid=drop)
    except AnnotationError as error:
        assert str(path) in str(error) and len(str(error)) < 2500
        return
    assert 1 <= len(dataset) <= 3
    for index in range(len(dataset)):
        with np.errstate(all='ignore'):
            sample = dataset[index]
        joints = sample['inputs']
        assert joints.dtype == torch.float32 and torch.isfinite(joints).all()
        assert joints.shape[2:] == (25, 3) and joints.size(0) in (1, 2) and joints.size(1) > 0
        assert int(sample['data_samples'].gt_label) in (-1, 0, 1)
