"""Joined data sets are classified only where their labels are one list."""

import pickle

import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS
from mmengine.registry import init_default_scope

from i2md_mmaction.datasets import check_labels, joined_datasets, label_names, load_annotations
from i2md_mmaction.datasets.packing import write_packed


@pytest.fixture
def write(tmp_path):
    """Writes a data set of a few classes of its own."""

    def make(name, classes, **content):
        annotations = [
            dict(
                frame_dir=f'{name}_{label}',
                label=label,
                total_frames=9,
                keypoint=np.random.default_rng(label).normal(size=(1, 9, 25, 3)).astype(np.float32),
            )
            for label in range(classes)
        ]
        path = tmp_path / f'{name}.pkl'
        path.write_bytes(pickle.dumps(dict(split=dict(all=[]), annotations=annotations, **content)))
        return str(path)

    return make


def build(*files, wrap=False, **options):
    init_default_scope('mmaction')
    parts = []
    for place, file in enumerate(files):
        own = {key: values[place] for key, values in options.items()}
        parts.append(dict(type='SkeletonDataset', ann_file=file, pipeline=[], **own))
    joined = dict(type='ConcatDataset', datasets=parts)
    return DATASETS.build(dict(type='RepeatDataset', times=2, dataset=joined) if wrap else joined)


@pytest.mark.parametrize('wrap', [False, True])
def test_labels_of_their_own_are_refused_and_both_files_named(write, wrap):
    dataset = build(write('a', 2), write('b', 3), wrap=wrap)
    with pytest.raises(ValueError, match='a.pkl and .*b.pkl are joined, .*set `label_offset`'):
        check_labels(dataset)
    # Pre-training does not ask.
    assert len(joined_datasets(dataset)) == 2 and len(dataset) == 5 * (1 + wrap)


def test_offsets_keep_labels_apart(write):
    dataset = build(write('a', 2), write('b', 3), label_offset=(0, 2), num_classes=(2, 3))
    check_labels(dataset)
    assert [int(sample['label']) for sample in dataset] == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match='labels do not overlap'):
        check_labels(build(write('a', 2), write('b', 3), label_offset=(0, 1), num_classes=(2, 3)))


@pytest.mark.parametrize('packed', [False, True])
def test_an_offset_holds_for_packed_data_too(write, tmp_path, packed):
    file = write('a', 3)
    if packed:
        write_packed(load_annotations(file), tmp_path / 'packed')
        file = str(tmp_path / 'packed')
    init_default_scope('mmaction')
    dataset = DATASETS.build(
        dict(type='SkeletonDataset', ann_file=file, pipeline=[], num_classes=3, label_offset=10)
    )
    assert [int(sample['label']) for sample in dataset] == [10, 11, 12]


def test_parts_of_one_data_set_share_their_labels(write):
    check_labels(build(write('a', 2), write('b', 3), name=('ntu60', 'ntu60')))
    names = ['walk', 'sit', 'jump']
    check_labels(build(write('a', 2, class_names=names), write('b', 3, class_names=names)))
    same = write('a', 2)
    check_labels(build(same, same))
    with pytest.raises(ValueError, match='labels are lists of their own'):
        check_labels(build(write('a', 2, class_names=names), write('b', 3, class_names=names[::-1])))


def test_a_dataset_that_is_none_of_ours_is_left_alone():
    check_labels(torch.utils.data.TensorDataset(torch.zeros(3)))


def test_names_of_joined_data_sets_stand_at_their_labels(write):
    file = write('a', 2, class_names=['walk', 'sit'])
    assert label_names(build(file, file)) == ['walk', 'sit']
    other = write('b', 3, class_names=['run', 'jump', 'hop'])
    apart = build(file, other, label_offset=(0, 3), num_classes=(3, 3))
    assert label_names(apart) == ['walk', 'sit', '2', 'run', 'jump', 'hop']
    assert label_names(build(file, write('c', 2))) is None
