"""A packed folder in place of a pickle: the same samples, without their frames in memory."""

import pickle

import numpy as np
import pytest
import torch
from mmaction.datasets.transforms import PackActionInputs
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim import OptimWrapper
from torch.utils.data import DataLoader

from i2md_mmaction.datasets import AnnotationError, SkeletonDataset, SkeletonPreNormalize, annotations
from i2md_mmaction.datasets.packed import PackedAnnotations
from i2md_mmaction.datasets.packing import write_packed


@pytest.fixture
def write_both(write_annotations, tmp_path):
    """Writes annotations as a pickle and, from that, packed; returns both paths."""

    def write(samples, **content):
        path = write_annotations(samples, **content)
        write_packed(annotations.load_annotations(path), tmp_path / 'packed')
        return path, tmp_path / 'packed'

    return write


def assert_same_samples(one, other):
    assert len(one) == len(other)
    for index in range(len(one)):
        a, b = one.get_data_info(index), other.get_data_info(index)
        assert a.keys() == b.keys()
        for field, value in a.items():
            assert type(b[field]) is type(value)
            np.testing.assert_array_equal(b[field], value, strict=isinstance(value, np.ndarray))


@pytest.mark.parametrize('split', ['train', 'val', None])
@pytest.mark.parametrize('dtype', [np.float16, np.float32])
def test_samples_are_those_of_the_pickle(ntu_annotations, write_both, split, dtype):
    for annotation in ntu_annotations:
        annotation['keypoint'] = annotation['keypoint'].astype(dtype)
        annotation['img_shape'] = (1080, 1920)
        annotation['keypoint_score'] = annotation['keypoint'][..., 0]
    path, packed = write_both(ntu_annotations)
    assert_same_samples(*(SkeletonDataset(str(p), [], split=split) for p in (path, packed)))


def test_indices_subsets_and_dropped_samples_are_those_of_the_pickle(ntu_annotations, write_both):
    ntu_annotations[1]['keypoint'][1, 3, 4, 0] = np.nan
    paths = write_both(ntu_annotations, split=dict(train=[f'sample{number}' for number in range(4)]))
    options = dict(pipeline=[], split='train', drop_invalid=True)
    assert_same_samples(*(SkeletonDataset(str(path), **options) for path in paths))
    assert_same_samples(*(SkeletonDataset(str(path), indices=[2, 0], **options) for path in paths))
    assert_same_samples(*(SkeletonDataset(str(path), serialize_data=True, **options) for path in paths))
    subset = dict(fraction=0.5, balance='uniform', seed=0)
    assert_same_samples(*(SkeletonDataset(str(path), subset=subset, **options) for path in paths))


def test_a_bare_list_and_other_keys_are_packed_too(ntu_annotations, write_both, tmp_path):
    write_both(ntu_annotations, class_names=['wave', 'kick'])
    assert annotations.load_annotations(tmp_path / 'packed')['class_names'] == ['wave', 'kick']
    (tmp_path / 'bare.pkl').write_bytes(pickle.dumps(ntu_annotations))
    write_packed(annotations.load_annotations(tmp_path / 'bare.pkl'), tmp_path / 'bare')
    paths = tmp_path / 'bare.pkl', tmp_path / 'bare'
    assert_same_samples(*(SkeletonDataset(str(path), []) for path in paths))


def spoil(samples, what):
    if what == 'NaN':
        samples[1]['keypoint'][0, 2, 3, 1] = np.nan
    if what == 'zero':
        samples[1]['keypoint'][:] = 0
    if what == 'label':
        samples[1]['label'] = 9
    if what == 'total_frames':
        samples[1]['total_frames'] += 1
    return samples


def refused(path, **options):
    with pytest.raises(AnnotationError) as caught:
        SkeletonDataset(str(path), [], split='train', num_classes=2, **options)
    return str(caught.value).replace(str(path), 'PATH')


@pytest.mark.parametrize('what', ['NaN', 'zero', 'label', 'total_frames'])
def test_bad_samples_are_refused_as_from_the_pickle(ntu_annotations, write_both, what):
    path, packed = write_both(spoil(ntu_annotations, what))
    assert 'sample1' in refused(path) and refused(packed) == refused(path)


@pytest.mark.parametrize('options', [dict(layout='kinect20'), dict(num_persons=1)])
def test_what_the_model_cannot_take_is_refused_as_from_the_pickle(ntu_annotations, write_both, options):
    path, packed = write_both(ntu_annotations)
    assert refused(packed, **options) == refused(path, **options)


def test_absent_and_doubled_names_are_refused_as_from_the_pickle(ntu_annotations, write_both):
    path, packed = write_both(ntu_annotations, split=dict(train=['sample0', 'sample9']))
    assert refused(packed) == refused(path)
    ntu_annotations[1]['frame_dir'] = 'sample0'
    path, packed = write_both(ntu_annotations)
    assert refused(packed) == refused(path)


def test_the_check_reads_no_frame(ntu_annotations, write_both, monkeypatch):
    _, packed = write_both(ntu_annotations)
    monkeypatch.setattr(annotations, 'keypoint_problem', lambda keypoint: pytest.fail('read frames'))
    assert len(SkeletonDataset(str(packed), [], split='train')) == 3


def test_a_worker_gets_a_path_and_the_frames_stay_in_the_file(ntu_annotations, write_both):
    ntu_annotations[2]['keypoint'] = np.ones((1, 5000, 25, 3), np.float32)
    ntu_annotations[2]['total_frames'] = 5000
    _, packed = write_both(ntu_annotations)
    dataset = SkeletonDataset(str(packed), [], split='train')
    assert not dataset.serialize_data and isinstance(dataset.data_list, PackedAnnotations)
    assert len(pickle.dumps(dataset)) < 5000
    base = dataset.data_list[2]['keypoint']
    while not isinstance(base, np.memmap):
        base = base.base
    # A sample's own frames are a copy that a pipeline may change.
    assert dataset.get_data_info(2)['keypoint'].flags.writeable


def build(path):
    pipeline = [SkeletonPreNormalize(), PackActionInputs(meta_keys=('frame_dir',))]
    return SkeletonDataset(str(path), pipeline, split='train')


def test_a_copy_as_a_spawned_worker_gets_it_gives_the_same_samples(ntu_annotations, write_both):
    dataset = build(write_both(ntu_annotations)[1])
    assert_same_samples(pickle.loads(pickle.dumps(dataset)), dataset)


def test_workers_give_the_same_batches_as_from_the_pickle(ntu_annotations, write_both):
    path, packed = write_both(ntu_annotations)
    expected = list(DataLoader(build(path), 2, collate_fn=pseudo_collate))
    loader = DataLoader(build(packed), 2, collate_fn=pseudo_collate, num_workers=1)
    for got, batch in zip(loader, expected, strict=True):
        for one, other in zip(got['inputs'], batch['inputs'], strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_a_model_trains_a_step_from_it_as_from_the_pickle(ntu_annotations, write_both):
    losses = []
    for path in write_both(ntu_annotations):
        config = Config.fromfile('configs/moco_demo.py').model
        config.backbone.hidden_channels, config.bank.size = 8, 16
        torch.manual_seed(0)
        model = MODELS.build(config)
        dataset = build(path)
        batch = pseudo_collate([dataset[index] for index in range(len(dataset))])
        optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.01))
        losses.append(model.train_step(batch, optimizer)['loss'].item())
    assert losses[0] == losses[1] and np.isfinite(losses[0])
