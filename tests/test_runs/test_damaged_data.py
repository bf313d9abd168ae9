"""A run on a damaged file: what asked for the file is named, and the remedy that the message names is one."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from mmengine.runner import Runner

from i2md_mmaction.datasets import AnnotationError
from i2md_mmaction.protocols import downstream_config

DOWNSTREAM = Path(__file__).parents[2] / 'configs/downstream'
#: What is wrong with a file that has a sample of NaN.
SAID = r'^{}: {}: 1 of \d+ samples cannot be used, the first:\n  {}: keypoint: NaN.*`drop_invalid=True`'


def spoil(source, target, name):
    """Writes the file anew with one sample of NaN."""
    content = pickle.loads(source.read_bytes())
    [sample] = [sample for sample in content['annotations'] if sample['frame_dir'] == name]
    sample['keypoint'] = np.full_like(sample['keypoint'], np.nan)
    target.write_bytes(pickle.dumps(content))
    return target


def run(config, phase):
    runner = Runner.from_cfg(config)
    getattr(runner, phase)()
    return runner


def change(config, place, **options):
    """Gives options to the data set of a dataloader, or to a bank: ``val_dataloader``, ``val_cfg.bank``."""
    stage, _, inner = place.partition('.')
    config.merge_from_dict({stage: {inner or 'dataset': options}})


@pytest.fixture
def bad_file(annotations, tmp_path, monkeypatch):
    """The tiny data set with one sample of NaN; a step on it fails the test."""
    monkeypatch.setattr('i2md_mmaction.models.SkeletonMoCo.loss', lambda *_: pytest.fail('a step was taken'))
    return spoil(annotations, tmp_path / 'bad.pkl', 'sample_3')


@pytest.mark.parametrize(
    'place, phase',
    [
        ('train_dataloader', 'train'),
        ('val_dataloader', 'train'),
        ('val_dataloader', 'val'),
        ('val_cfg.bank', 'train'),
        ('test_dataloader', 'test'),
        ('test_cfg.bank', 'test'),
    ],
)
def test_what_asked_for_a_damaged_file_is_named(place, phase, small_config, annotations, bad_file, tmp_path):
    config = small_config('moco_demo', annotations, tmp_path / 'run', 1)
    for stage in ('val', 'test'):  # else the bank would be of the file of the queries
        change(config, f'{stage}_cfg.bank', ann_file=str(annotations))
    change(config, place, ann_file=str(bad_file))
    with pytest.raises(AnnotationError, match=SAID.format(place, bad_file, 'sample_3')):
        run(config, phase)


@pytest.mark.parametrize('stage, phase', [('train', 'train'), ('val', 'train'), ('test', 'test')])
def test_a_run_watched_without_labels_names_it_too(
    stage, phase, small_config, annotations, bad_file, tmp_path
):
    config = small_config('moco_demo', annotations, tmp_path / 'run', 1)
    loop, quality = (dict(_delete_=True, type=kind) for kind in ('EmbeddingLoop', 'EmbeddingQuality'))
    config.merge_from_dict(dict(val_cfg=loop, test_cfg=dict(loop, mode='test')))
    config.merge_from_dict(dict(val_evaluator=quality, test_evaluator=quality))
    change(config, f'{stage}_dataloader', ann_file=str(bad_file))
    with pytest.raises(AnnotationError, match=SAID.format(f'{stage}_dataloader', bad_file, 'sample_3')):
        run(config, phase)


@pytest.mark.parametrize('stage, phase', [('train', 'train'), ('val', 'train'), ('test', 'test')])
def test_a_classifier_names_it_too(stage, phase, pretraining, tmp_path):
    names = pickle.loads(pretraining[3].read_bytes())['split']
    name = names['xsub_train' if stage == 'train' else 'xsub_val'][0]
    bad = spoil(pretraining[3], tmp_path / 'bad.pkl', name)
    config = downstream_config(pretraining[1], 'linear', DOWNSTREAM)
    config.work_dir = config.visualizer.name = str(tmp_path)
    config.model.pretrained.checkpoint = str(pretraining[2])
    change(config, f'{stage}_dataloader', ann_file=str(bad))
    with pytest.raises(AnnotationError, match=SAID.format(f'{stage}_dataloader', bad, name)):
        run(config, phase)


@pytest.mark.parametrize('places', [('val_dataloader', 'test_dataloader'), ('val_cfg.bank', 'test_cfg.bank')])
def test_dropping_a_sample_of_the_training_split_cures_the_bank_too(
    places, small_config, annotations, tmp_path
):
    """The neighbours of 1-NN are training samples; the bank inherits the options of the queries' data set."""
    content = pickle.loads(annotations.read_bytes())
    content['split'] = dict(train=[f'sample_{number}' for number in range(6)], val=['sample_6', 'sample_7'])
    annotations.write_bytes(pickle.dumps(content))
    bad = spoil(annotations, tmp_path / 'bad.pkl', 'sample_3')

    def config(name, *cured):
        made = small_config('moco_demo', bad, tmp_path / name, 1)
        made.train_dataloader.batch_size = 5
        for stage in ('val', 'test'):
            change(made, f'{stage}_dataloader', split='val')
        for place in cured:
            change(made, place, drop_invalid=True)
        return made

    for name, place, cured in [
        ('none', 'train_dataloader', ()),
        ('training data', 'val_cfg.bank', ('train_dataloader',)),
    ]:
        with pytest.raises(AnnotationError, match=SAID.format(place, bad, 'sample_3')):
            run(config(name, *cured), 'train')
    with pytest.raises(AnnotationError, match=SAID.format('test_cfg.bank', bad, 'sample_3')):
        run(config('no test', 'train_dataloader'), 'test')
    runner = run(config('all', 'train_dataloader', *places), 'train')
    kept = [f'sample_{number}' for number in (0, 1, 2, 4, 5)]
    assert runner.train_dataloader.dataset.names == runner.val_loop.bank_dataloader.dataset.names == kept
    assert runner.iter == 1 and runner.val_loop.dataloader.dataset.names == ['sample_6', 'sample_7']
    tested = run(config('test', *places), 'test')
    assert tested.test_loop.bank_dataloader.dataset.names == kept
