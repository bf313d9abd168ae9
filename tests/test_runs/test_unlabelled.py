"""Data without labels pre-train, are watched without labels, and are refused where labels are needed."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS
from mmengine.dataset import ClassBalancedDataset
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from i2md_mmaction.datasets import AnnotationError, SkeletonDataset, check_labels, load_annotations
from i2md_mmaction.datasets.packing import write_packed
from i2md_mmaction.evaluation.inference import embed_split
from i2md_mmaction.evaluation.quality import QUALITIES
from i2md_mmaction.protocols import Evaluation, Unit

DOWNSTREAM = Path(__file__).parents[2] / 'configs/downstream'
FORMS = ['no label', 'minus one', 'none', 'packed']


def watched(save_best=None):
    """What a config without labels says of its evaluation."""
    return dict(
        val_cfg=dict(_delete_=True, type='EmbeddingLoop'),
        test_cfg=dict(_delete_=True, type='EmbeddingLoop', mode='test'),
        val_evaluator=dict(_delete_=True, type='EmbeddingQuality'),
        test_evaluator=dict(_delete_=True, type='EmbeddingQuality'),
        default_hooks=dict(checkpoint=dict(save_best=save_best, rule='greater')),
    )


@pytest.fixture(params=FORMS)
def unlabelled(request, annotations, tmp_path):
    """The tiny data set without labels, in each form that people have."""
    content = pickle.loads(annotations.read_bytes())
    for sample in content['annotations']:
        label = {'minus one': -1, 'none': None}.get(request.param, 'no')
        sample.pop('label')
        if label != 'no':
            sample['label'] = label
    path = tmp_path / 'unlabelled.pkl'
    path.write_bytes(pickle.dumps(content))
    if request.param == 'packed':
        write_packed(load_annotations(path), tmp_path / 'packed')
        return tmp_path / 'packed'
    return path


def scalars(work_dir):
    [log] = work_dir.glob('*/vis_data/scalars.json')
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_a_run_without_labels_trains_is_watched_and_keeps_its_best(unlabelled, small_config, tmp_path):
    config = small_config('moco_demo', unlabelled, tmp_path / 'run', epochs=2)
    config.merge_from_dict(watched('embedding/rank'))
    runner = Runner.from_cfg(config)
    runner.train()
    records = [record for record in scalars(tmp_path / 'run') if 'embedding/rank' in record]
    assert len(records) == 2
    names = {
        f'embedding/{name}{stream}' for name in QUALITIES for stream in ('', '_joint', '_motion', '_bone')
    }
    assert names <= set(records[0]) and records[0]['embedding/rank'] > 1
    assert list((tmp_path / 'run').glob('best_embedding_rank_epoch_*.pth'))
    # The same weights, views and numbers whenever they are asked for.
    assert runner.val_loop.run() == pytest.approx(runner.val_loop.run(), abs=0)


def test_watching_changes_nothing_of_the_training(annotations, small_config, tmp_path):
    states = []
    for name, options in (('watched', watched()), ('alone', {})):
        config = small_config('moco_demo', annotations, tmp_path / name, epochs=2)
        config.merge_from_dict(options)
        runner = Runner.from_cfg(config)
        runner.train()
        states.append(runner.model.state_dict())
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())


def test_with_labels_both_stand_beside_one_another(annotations, small_config, tmp_path):
    config = small_config('moco_demo', annotations, tmp_path / 'run', epochs=1)
    config.val_evaluator = [config.val_evaluator, dict(type='EmbeddingQuality')]
    Runner.from_cfg(config).train()
    [record] = [record for record in scalars(tmp_path / 'run') if 'knn/top1' in record]
    assert record['embedding/std_bone'] > 0


def test_what_needs_labels_asks_for_them_before_the_first_step(
    unlabelled, small_config, pretraining, tmp_path
):
    config = small_config('moco_demo', unlabelled, tmp_path / 'run', epochs=1)
    with pytest.raises(ValueError, match='8 of 8 samples have no label, the first sample_0; .*EmbeddingLoop'):
        Runner.from_cfg(config).train()
    text = f'_base_ = {str(pretraining[1])!r}\n'
    dataset = f'dict(ann_file={str(unlabelled)!r}, split="train")'
    text += ''.join(f'{stage}_dataloader = dict(dataset={dataset})\n' for stage in ('train', 'val', 'test'))
    (tmp_path / 'mine.py').write_text(text + 'test_cfg = dict(bank=dict(split="train"))\n')
    options = dict(streams=['joint'], epochs=1)
    ours = Evaluation(tmp_path / 'mine.py', pretraining[2], tmp_path / 'out', DOWNSTREAM, **options)
    for unit in (Unit('knn'), Unit('linear_cached', 'joint'), Unit('linear', 'joint')):
        assert 'have no label' in ours.run(unit)['error'], unit
    semi = ours.run(Unit('semi_20', 'joint'))
    assert 'a subset is drawn among labelled samples only' in semi['error']


def test_embeddings_of_unlabelled_data_are_handed_out(unlabelled, small_config, tmp_path):
    config = small_config('moco_demo', unlabelled, tmp_path / 'run', epochs=1)
    config.merge_from_dict(watched())
    model = Runner.from_cfg(config).model.eval()
    features, labels = embed_split(model, config.test_dataloader)
    assert labels.tolist() == [-1] * 8 and features['joint'].shape[0] == 8


def test_some_labels_among_many_samples_pre_train_and_are_counted(annotations, tmp_path):
    content = pickle.loads(annotations.read_bytes())
    del content['annotations'][3]['label']
    (tmp_path / 'some.pkl').write_bytes(pickle.dumps(content))
    dataset = SkeletonDataset(str(tmp_path / 'some.pkl'), pipeline=[], label_offset=10)
    assert [dataset.get_data_info(index)['label'] for index in range(4)] == [10, 11, 10, -1]
    with pytest.raises(ValueError, match='1 of 8 samples have no label, the first sample_3'):
        check_labels(dataset)


def test_a_metric_that_a_loop_cannot_serve_is_refused(annotations, small_config, tmp_path):
    config = small_config('moco_demo', annotations, tmp_path / 'run', epochs=1)
    config.merge_from_dict(dict(val_cfg=watched()['val_cfg']))
    with pytest.raises(ValueError, match='KNNAccuracy needs a bank; use val_cfg=dict'):
        Runner.from_cfg(config).train()
    config = small_config('moco_demo', annotations, tmp_path / 'other', epochs=1)
    config.merge_from_dict(watched())
    runner = Runner.from_cfg(config)
    del runner.model.data_preprocessor.train_views[1:]
    with pytest.raises(ValueError, match='EmbeddingQuality compares two training views'):
        runner.val()


def test_classes_are_balanced_by_mmengines_wrapper(annotations, tmp_path):
    content = pickle.loads(annotations.read_bytes())
    for sample in content['annotations']:
        sample['label'] = int(sample['frame_dir'] == 'sample_5')
    (tmp_path / 'rare.pkl').write_bytes(pickle.dumps(content))
    init_default_scope('mmaction')
    part = dict(type='SkeletonDataset', ann_file=str(tmp_path / 'rare.pkl'), pipeline=[])
    balanced = DATASETS.build(dict(type='ClassBalancedDataset', oversample_thr=0.5, dataset=part))
    assert isinstance(balanced, ClassBalancedDataset)
    labels = [int(sample['label']) for sample in balanced]
    assert labels.count(0) == 7 and labels.count(1) == np.ceil(np.sqrt(0.5 / (1 / 8)))
    for sample in content['annotations']:
        sample['label'] = -1
    (tmp_path / 'rare.pkl').write_bytes(pickle.dumps(content))
    with pytest.raises(AnnotationError, match='classes can be balanced only where every sample has one'):
        DATASETS.build(dict(type='ClassBalancedDataset', oversample_thr=0.5, dataset=part))
