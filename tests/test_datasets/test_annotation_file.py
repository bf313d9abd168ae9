"""An annotation file is read and checked once, and shared, however many data sets use it."""

import gc
import os
import pickle
import weakref
from collections import Counter

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from i2md_mmaction.datasets import AnnotationError, SkeletonDataset
from i2md_mmaction.datasets import annotation_file as opened
from i2md_mmaction.datasets import annotations as checks
from i2md_mmaction.datasets.demo import make_demo_dataset
from i2md_mmaction.datasets.packing import write_packed

SPLITS = ('xsub_train', 'xsub_train', 'xsub_val')  # training, the bank of 1-NN, validation


@pytest.fixture
def file(tmp_path):
    path = tmp_path / 'demo.pkl'
    path.write_bytes(pickle.dumps(make_demo_dataset(3, 5)))
    return path


@pytest.fixture
def counted(monkeypatch):
    """How often files are loaded, and frames looked at."""
    counts = Counter()
    load, look = opened.load_annotations, checks.keypoint_problem
    monkeypatch.setattr(opened, 'load_annotations', lambda path: counts.update(loads=1) or load(path))
    monkeypatch.setattr(
        checks, 'keypoint_problem', lambda *args: counts.update({id(args[0]): 1}) or look(*args)
    )
    return counts


def test_a_run_reads_and_checks_each_sample_once(file, tmp_path, counted):
    config = Config.fromfile('configs/cmd_demo.py')
    init_default_scope('mmaction')
    loaders = dict(train=config.train_dataloader, val=config.val_dataloader)
    for loader in loaders.values():
        loader.update(num_workers=0, persistent_workers=False)
        loader.dataset.update(ann_file=str(file), num_classes=3)
    bank = dict(loaders['val'], dataset=dict(loaders['val'].dataset, split='xsub_train'))
    built = [Runner.build_dataloader(loader) for loader in (*loaders.values(), bank)]
    assert [len(loader.dataset) for loader in built] == [12, 3, 12]
    assert counted.pop('loads') == 1
    assert len(counted) == 15 and set(counted.values()) == {1}


def test_the_data_sets_share_their_frames_and_a_pipeline_changes_a_copy(file):
    first, bank, val = (SkeletonDataset(str(file), [], split=split) for split in SPLITS)
    for one, other in zip(first.data_list, bank.data_list):
        assert np.shares_memory(one['keypoint'], other['keypoint'])
    before = bank.get_data_info(0)['keypoint'].copy()
    changed = first.get_data_info(0)
    changed['keypoint'] += 1
    changed['label'] = 7
    np.testing.assert_array_equal(bank.get_data_info(0)['keypoint'], before)
    assert bank.get_data_info(0)['label'] == 0
    assert not {id(entry) for entry in first.data_list} & {id(entry) for entry in val.data_list}


def test_a_worker_that_is_not_forked_gets_the_samples_of_its_own_data_set_only(file):
    train, _, val = (SkeletonDataset(str(file), [], split=split) for split in SPLITS)
    assert len(pickle.dumps(val)) < 0.4 * len(pickle.dumps(train))
    copy = pickle.loads(pickle.dumps(val))
    assert [copy[i]['frame_dir'] for i in range(3)] == [val[i]['frame_dir'] for i in range(3)]


def test_a_file_that_changed_is_read_again_and_one_that_nobody_holds_is_let_go(file, counted):
    before = SkeletonDataset(str(file), [], split='xsub_val')
    content = make_demo_dataset(4, 5)
    file.write_bytes(pickle.dumps(content))
    os.utime(file, (1, 1))  # also where both were written within the clock's resolution
    after = SkeletonDataset(str(file), [], split='xsub_val')
    assert (len(before), len(after), counted['loads']) == (3, 4, 2)
    held = weakref.ref(after._file)
    del after
    gc.collect()
    assert held() is None
    SkeletonDataset(str(file), [], split='xsub_val')
    assert counted['loads'] == 3


def test_what_was_found_under_one_expectation_is_not_taken_for_another(file):
    SkeletonDataset(str(file), [], split='xsub_train', num_classes=3)
    with pytest.raises(AnnotationError, match='label: 2 outside 0 to 1'):
        SkeletonDataset(str(file), [], split='xsub_train', num_classes=2)
    with pytest.raises(AnnotationError, match='coordinates where 2 are expected'):
        SkeletonDataset(str(file), [], split='xsub_train', num_coordinates=2)


def test_a_bad_sample_is_refused_by_each_data_set_that_has_it_and_by_no_other(tmp_path):
    content = make_demo_dataset(3, 5)
    bad = next(a for a in content['annotations'] if a['frame_dir'] in content['split']['xsub_train'])
    bad['keypoint'][0, 0, 0, 0] = np.nan
    path = tmp_path / 'bad.pkl'
    path.write_bytes(pickle.dumps(content))
    sound = SkeletonDataset(str(path), [], split='xsub_val')
    for _ in range(2):  # the second finds the file checked
        with pytest.raises(AnnotationError, match=f'1 of 12 samples.*\n.*{bad["frame_dir"]}: keypoint: NaN'):
            SkeletonDataset(str(path), [], split='xsub_train')
    dropped = SkeletonDataset(str(path), [], split='xsub_train', drop_invalid=True)
    assert (len(sound), len(dropped)) == (3, 11) and bad['frame_dir'] not in dropped.names


NOTED = dict(center='frame', align_spine=True, align_shoulders=True)
PIPELINE = [dict(type='SkeletonPreNormalize'), dict(type='PackActionInputs')]


@pytest.mark.parametrize('packed', [False, True])
def test_what_the_file_notes_as_done_is_not_done_twice(packed, tmp_path):
    init_default_scope('mmaction')
    content = make_demo_dataset(2, 4)
    path = tmp_path / 'made.pkl'
    path.write_bytes(pickle.dumps({**content, 'prenormalized': NOTED}))
    if packed:
        write_packed(checks.load_annotations(path), tmp_path / 'packed')
        path = tmp_path / 'packed'
    dataset = SkeletonDataset(str(path), PIPELINE, split='xsub_train')
    kept = [type(step).__name__ for step in dataset.pipeline.transforms]
    assert kept == ['PackActionInputs']
    frames = {sample['frame_dir']: sample['keypoint'] for sample in content['annotations']}
    for index, name in enumerate(dataset.names):
        np.testing.assert_array_equal(dataset[index]['inputs'].numpy(), frames[name])


@pytest.mark.parametrize('step', [dict(center='person'), dict(align_spine=False), dict(scale_body=True)])
def test_another_normalisation_than_the_file_notes_is_refused(step, file):
    init_default_scope('mmaction')
    content = pickle.loads(file.read_bytes())
    file.write_bytes(pickle.dumps({**content, 'prenormalized': NOTED}))
    pipeline = [dict(PIPELINE[0], **step), PIPELINE[1]]
    with pytest.raises(AnnotationError, match='was pre-normalised when it was made, by .*take Skel'):
        SkeletonDataset(str(file), pipeline, split='xsub_train')
    file.write_bytes(pickle.dumps({**content, 'prenormalized': 'yes'}))
    with pytest.raises(AnnotationError, match="'prenormalized' is no dictionary; make the file anew"):
        SkeletonDataset(str(file), pipeline, split='xsub_train')
