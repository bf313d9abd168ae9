"""The project of SimSiam: its loss against the formula in float64, and a run through the Runner."""

import pickle
from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.runner import Runner

from i2md_mmaction.datasets.demo import make_demo_dataset
from i2md_mmaction.io import write_file

ROOT = Path(__file__).parents[1]


def small(**options):
    config = Config.fromfile(ROOT / 'projects/simsiam/simsiam_demo.py')
    config.model.backbone.update(hidden_channels=8, num_layers=1)
    config.merge_from_dict(options)
    return config


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b)) / (sum(x * x for x in a) * sum(y * y for y in b)) ** 0.5


def test_the_loss_is_that_of_the_paper_and_no_gradient_reaches_the_other_view():
    torch.manual_seed(0)
    model = MODELS.build(small(model=dict(streams=('bone',))).model).train()
    views = torch.randn(2, 6, 2, 16, 25, 3)
    first, second = (model.streams['bone'](view).embedding for view in views)
    pairs = [
        (model.predictors['bone'](own).double().tolist(), other.double().tolist())
        for own, other in ((first, second), (second, first))
    ]
    expected = -sum(cosine(a, b) for pair in pairs for a, b in zip(*pair)) / (2 * 6)
    loss = model(tuple(views), mode='loss')['loss_bone']
    assert loss.item() == pytest.approx(expected, abs=1e-5)
    # With a predictor that gives a constant, nothing is left to draw the encoder.
    for parameter in model.predictors['bone'][0].parameters():
        torch.nn.init.zeros_(parameter)
    model(tuple(views), mode='loss')['loss_bone'].backward()
    assert all(
        parameter.grad is None or parameter.grad.abs().max() < 1e-6
        for parameter in model.streams['bone'].parameters()
    )


def test_it_trains_and_is_evaluated_by_the_runner_without_a_bank(tmp_path):
    write_file(
        tmp_path / 'demo.pkl', pickle.dumps(make_demo_dataset(num_classes=3, samples_per_class=8, seed=0))
    )
    loader = dict(batch_size=8, dataset=dict(ann_file=str(tmp_path / 'demo.pkl'), num_classes=3))
    config = small(
        train_dataloader=loader,
        val_dataloader=loader,
        train_cfg=dict(max_epochs=2, val_interval=1),
        work_dir=str(tmp_path / 'run'),
        vis_backends=[dict(type='LocalVisBackend')],
        visualizer=dict(vis_backends=[dict(type='LocalVisBackend')], name='simsiam'),
        experiment_name='simsiam',
    )
    runner = Runner.from_cfg(config)
    runner.train()
    assert runner.message_hub.get_scalar('val/knn/top1').current() > 0
    assert not hasattr(runner.model, 'bank')
