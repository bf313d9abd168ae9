"""The linear probe beside pre-training: it changes nothing, learns as it should, and goes on when resumed."""

import json
import pickle

import numpy as np
import pytest
import torch
from mmengine.runner import Runner

from i2md_mmaction.engine import LinearProbeHook

PROBE = {'default_hooks.probe.type': 'LinearProbeHook'}


def train(config, **options):
    runner = Runner.from_cfg(config)
    runner.train()
    return runner


def checkpoint(work_dir, epoch):
    return torch.load(work_dir / f'epoch_{epoch}.pth', weights_only=True)


def same(first, second):
    assert first.keys() == second.keys()
    return all(torch.equal(first[name], second[name]) for name in first)


def test_pre_training_goes_on_bit_for_bit_as_without_it(small_config, annotations, tmp_path):
    train(small_config('cmd_demo', annotations, tmp_path / 'without', 2))
    train(small_config('cmd_demo', annotations, tmp_path / 'with', 2, **PROBE))
    without, ours = (checkpoint(tmp_path / name, 2) for name in ('without', 'with'))
    assert same(without['state_dict'], ours['state_dict'])
    [log] = (tmp_path / 'with').glob('*/vis_data/scalars.json')
    scalars = [json.loads(line) for line in log.read_text().splitlines()]
    steps = [line for line in scalars if 'acc_probe_joint' in line]
    assert len(steps) == 2 and {'acc_probe_motion', 'acc_probe_bone', 'loss_nce_joint'} <= set(steps[0])
    assert any({'probe/top1_joint', 'knn/top1'} <= set(line) for line in scalars)


def test_a_resumed_probe_goes_on_bit_for_bit(small_config, annotations, tmp_path):
    train(small_config('cmd_demo', annotations, tmp_path / 'whole', 3, **PROBE))
    train(small_config('cmd_demo', annotations, tmp_path / 'cut', 1, **PROBE))
    train(small_config('cmd_demo', annotations, tmp_path / 'cut', 3, resume=True, **PROBE))
    whole, cut = (checkpoint(tmp_path / name, 3)['probe'] for name in ('whole', 'cut'))
    assert same(whole['layers'], cut['layers'])
    assert any(bool(value.any()) for value in whole['layers'].values())


def test_its_layers_are_those_of_softmax_regression_on_the_query_view(small_config, annotations, tmp_path):
    config = small_config('moco_demo', annotations, tmp_path / 'run', 3, **PROBE)
    seen, step = [], LinearProbeHook.after_train_iter

    def watched(self, runner, batch_idx, data_batch=None, outputs=None):
        labels = [int(sample.gt_label) for sample in data_batch['data_samples']]
        hidden = {name: value.double().numpy() for name, value in self._seen.items()}
        step(self, runner, batch_idx, data_batch, outputs)
        seen.append(
            (hidden, np.array(labels), {key: float(value.detach()) for key, value in outputs.items()})
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LinearProbeHook, 'after_train_iter', watched)
        train(config)
    layers = checkpoint(tmp_path / 'run', 3)['probe']['layers']
    for stream in ('joint', 'motion', 'bone'):
        classes, width = layers[f'{stream}.weight'].shape
        weight, speed = np.zeros((classes, width + 1)), 0.0
        for hidden, labels, logged in seen:
            inputs = np.concatenate((hidden[stream], np.ones((len(labels), 1))), axis=1)
            scores = inputs @ weight.T
            accuracy = 100 * (scores.argmax(axis=1) == labels).mean()
            assert logged[f'acc_probe_{stream}'] == pytest.approx(accuracy)
            odds = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
            gradient = (odds - np.eye(classes)[labels]).T @ inputs / len(labels)
            speed = 0.9 * speed + gradient
            weight = weight - 0.1 * speed
        assert np.allclose(layers[f'{stream}.weight'], weight[:, :-1], atol=1e-5)
        assert np.allclose(layers[f'{stream}.bias'], weight[:, -1], atol=1e-5)


def test_samples_without_labels_are_refused_before_training(small_config, annotations, tmp_path):
    config = small_config('cmd_demo', annotations, tmp_path / 'run', 1, **PROBE)
    unlabelled = dict(type='EmbeddingLoop')
    config.train_dataloader.dataset.pop('num_classes', None)
    content = pickle.loads(annotations.read_bytes())
    for sample in content['annotations']:
        del sample['label']
    annotations.write_bytes(pickle.dumps(content))
    config.val_cfg, config.val_evaluator = unlabelled, dict(type='EmbeddingQuality')
    with pytest.raises(ValueError, match='have no label'):
        train(config)
