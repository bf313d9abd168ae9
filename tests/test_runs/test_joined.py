"""Data sets that were joined: pre-trained on as they are, classified only where labels are one list."""

import pickle
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.runner import Runner

from i2md_mmaction.protocols import Evaluation, Unit, downstream_config

DOWNSTREAM = Path(__file__).parents[2] / 'configs/downstream'


@pytest.fixture
def joined(pretraining, tmp_path):
    """Writes a pre-training config on two files of four classes each, with options for their datasets."""
    other = tmp_path / 'other.pkl'
    content = pickle.loads(pretraining[3].read_bytes())
    content['class_names'] = [f'another {name}' for name in content['class_names']]
    other.write_bytes(pickle.dumps(content))

    def write(name, joined_bank=True, **options):
        splits = dict(train='xsub_train', val='xsub_val')
        base = Config.fromfile(pretraining[1])
        lines = [f'_base_ = {str(pretraining[1])!r}']
        parts = {}
        for part, split in splits.items():
            dataset = base[f'{part}_dataloader'].dataset.to_dict()
            parts[part] = [
                dict(dataset, ann_file=str(file), split=split, name=f'set {place}')
                | {key: values[place] for key, values in options.items()}
                for place, file in enumerate((pretraining[3], other))
            ]
        both = {
            part: dict(_delete_=True, type='ConcatDataset', datasets=found) for part, found in parts.items()
        }
        lines += [f'train_dataloader = dict(dataset={both["train"]})']
        if joined_bank:
            lines += [f'{stage}_dataloader = dict(dataset={both["val"]})' for stage in ('val', 'test')]
            bank = dict(type='ConcatDataset', datasets=parts['train'])
            lines += [f'{stage}_cfg = dict(bank=dict(_delete_=True, **{bank}))' for stage in ('val', 'test')]
        path = tmp_path / f'{name}.py'
        path.write_text('\n'.join([*lines, '']))
        return path

    return write


def runner_of(config, work_dir, **options):
    config = config if isinstance(config, Config) else Config.fromfile(config)
    config.work_dir = config.visualizer.name = str(work_dir)
    config.merge_from_dict(dict(train_cfg=dict(max_epochs=1, val_interval=1)))
    config.merge_from_dict(dict(experiment_name=work_dir.name, **options))
    return Runner.from_cfg(config)


def test_joined_data_sets_are_pre_trained_on_and_measured_on_one_of_them(joined, tmp_path):
    runner = runner_of(joined('one', joined_bank=False), tmp_path / 'run')
    runner.train()
    parts = runner.train_dataloader.dataset.datasets
    assert len(parts) == 2 and len(runner.val_loop.bank_dataloader.dataset) == len(parts[0])
    assert int(runner.model.bank.filled) == 20


def test_labels_of_their_own_are_measured_by_no_protocol(joined, pretraining, tmp_path):
    config = joined('own')
    with pytest.raises(ValueError, match='are joined, and their labels are lists of their own'):
        runner_of(config, tmp_path / 'run').train()
    ours = Evaluation(config, pretraining[2], tmp_path / 'out', DOWNSTREAM, streams=['joint'], epochs=1)
    for unit in (Unit('knn'), Unit('linear_cached', 'joint')):
        assert 'labels are lists of their own' in ours.run(unit)['error']
    classifier = downstream_config(config, 'linear', DOWNSTREAM)
    options = dict(model=dict(cls_head=dict(num_classes=4), pretrained=dict(checkpoint=str(pretraining[2]))))
    with pytest.raises(ValueError, match='labels are lists of their own'):
        runner_of(classifier, tmp_path / 'linear', **options).train()


def test_offsets_make_them_one_list(joined, pretraining, tmp_path):
    config = joined('apart', num_classes=(4, 4), label_offset=(0, 4))
    metrics = runner_of(config, tmp_path / 'test', load_from=str(pretraining[2])).test()
    assert 0 < metrics['knn/top1'] <= 100
    classifier = downstream_config(config, 'linear', DOWNSTREAM)
    options = dict(model=dict(cls_head=dict(num_classes=8), pretrained=dict(checkpoint=str(pretraining[2]))))
    runner = runner_of(classifier, tmp_path / 'linear', **options)
    runner.train()
    labels = {int(sample['data_samples'].gt_label) for sample in runner.train_dataloader.dataset}
    assert labels == set(range(8)) and runner.model.cls_head.fc.out_features == 8
