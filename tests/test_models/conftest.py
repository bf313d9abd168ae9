"""What the tests of AimCLR, CrosSCLR and MCL share: tiny models and products in float64."""

from types import SimpleNamespace

import pytest
import torch
from mmaction.registry import MODELS

from i2md_mmaction.engine import PretrainStageHook


@pytest.fixture
def build_pretrainer():
    """Builds a tiny method: BiGRU, 6 dimensions, keys unlike the queries, 9 of 14 bank rows filled."""

    def build(method, filled=9, **options):
        backbone = dict(type='BiGRU', hidden_channels=4, num_layers=1)
        config = dict(type=method, layout='kinect20', momentum=0.9, backbone=backbone)
        config.update(
            projector=dict(type='ProjectionHead', out_channels=6), bank=dict(type='MemoryBank', size=14)
        )
        torch.manual_seed(0)
        model = MODELS.build({**config, **options}).train()
        with torch.no_grad():
            for stream in model.streams.values():
                for parameter in stream.key.parameters():
                    parameter.add_(0.05 * torch.randn_like(parameter))
        if filled:
            rows = {name: torch.randn(filled, dim) for name, dim in model.bank.dims.items()}
            model.bank.enqueue(
                **{name: torch.nn.functional.normalize(row, dim=1) for name, row in rows.items()}
            )
        return model

    return build


@pytest.fixture
def skeleton_views():
    """Makes three views (B, M, T, V, C) of four samples."""

    def make(seed=0):
        generator = torch.Generator().manual_seed(seed)
        return tuple(torch.randn(4, 2, 8, 20, 3, generator=generator) for _ in range(3))

    return make


@pytest.fixture
def products():
    """Products of the rows of two matrices as lists of floats, in float64."""

    def multiply(rows, others):
        return [
            [sum(a * b for a, b in zip(row, other)) for other in others.detach().double().tolist()]
            for row in rows.detach().double().tolist()
        ]

    return multiply


@pytest.fixture
def enter_epoch():
    """Lets a :class:`PretrainStageHook` begin an epoch of a model; gives what it logged."""

    def enter(hook: PretrainStageHook, model, epoch):
        logged = []
        hook.before_train_epoch(
            SimpleNamespace(
                epoch=epoch, max_epochs=300, model=model, logger=SimpleNamespace(info=logged.append)
            )
        )
        return logged

    return enter
