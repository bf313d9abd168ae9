"""The plain reference computes what the methods compute, or their ratio says nothing."""

import pytest
import torch
from mmaction.registry import MODELS

from tools.benchmark.measure import Stopwatch
from tools.benchmark.step import MethodStep, PlainStep, run_step, total

BIGRU = dict(type='BiGRU', hidden_channels=4, num_layers=2)
TRANSFORMER = dict(type='GCNTransformer', gcn_channels=4, gcn_layers=1, num_frames=6)
TRANSFORMER.update(embed_dims=8, depth=2, num_heads=2, feedforward_channels=12)
STGCN = dict(type='SlimSTGCN', base_channels=4, embed_dims=8, dropout=0.0)
TOPK = dict(type='MutualDistillationLoss', topk=7)
METHODS = {
    'moco': dict(type='SkeletonMoCo', backbone=BIGRU),
    'cmd': dict(
        type='CMD', backbone=BIGRU, distillation=TOPK, edges=[('bone', 'joint'), ('joint', 'motion')]
    ),
    'mcl': dict(type='MCL', backbone=BIGRU, mcl_weight=0.7),
    'i2md': dict(type='I2MD', backbone=TRANSFORMER, distillation=TOPK, num_neighbors=5),
    'crossclr': dict(type='CrosSCLR', backbone=BIGRU),
    'crossclr_mining': dict(type='CrosSCLR', backbone=BIGRU, mining=True),
    'crossclr_no_context': dict(type='CrosSCLR', backbone=STGCN, mining=True, context=False),
    'aimclr': dict(type='AimCLR', backbone=STGCN, streams=['joint']),
    'aimclr_mining': dict(type='AimCLR', backbone=STGCN, streams=['joint', 'bone'], topk=2, mining=True),
}


def views(config, seed):
    generator = torch.Generator().manual_seed(seed)
    count = 3 if config['type'] == 'AimCLR' else 2
    return tuple(torch.randn(4, 1, 6, 25, 3, generator=generator) for _ in range(count))


def built(name, steps):
    """A recognizer some steps on, whose bank holds the keys of these steps."""
    torch.manual_seed(0)
    model = MODELS.build(
        dict(METHODS[name], num_persons=1, bank=dict(type='MemoryBank', size=10), momentum=0.9)
    )
    model.init_weights()
    step = MethodStep(model.train(), dict(type='SGD', lr=0.05))
    for seed in range(steps):
        run_step(step, views(METHODS[name], seed), Stopwatch('cpu'))
    return model


@pytest.mark.parametrize('steps', [0, 1, 3])
@pytest.mark.parametrize('name', METHODS)
def test_both_forms_take_the_same_step(name, steps):
    model = built(name, steps)
    optimizer = dict(type='SGD', lr=0.05, momentum=0.9, weight_decay=1e-4)
    plain, ours = PlainStep(model, optimizer), MethodStep(model, dict(optimizer, fused=True))
    batch = views(METHODS[name], 9)
    terms = {key: value for key, value in ours.forward(batch).items() if 'loss' in key}
    expected = plain.forward(batch)
    values = {key: value.item() for key, value in terms.items()}
    assert values == pytest.approx({key: value.item() for key, value in expected.items()}, abs=2e-5)

    for step, losses in ((ours, terms), (plain, expected)):
        total(losses).backward()
        step.optimizer.step()
        step.update_memory()
    for stream, settings in model.streams.items():
        for encoder in ('query', 'key'):
            weights = getattr(settings, encoder).parameters()
            for ours_weight, weight in zip(weights, getattr(plain.plain, encoder)[stream].parameters()):
                torch.testing.assert_close(ours_weight, weight, atol=1e-5, rtol=1e-4)
    for entry in model.bank.dims:
        torch.testing.assert_close(model.bank[entry], plain.plain.queue[entry], atol=1e-5, rtol=1e-4)
    assert int(model.bank.pointer) == plain.plain.pointer


@pytest.mark.parametrize('name', ['cmd', 'i2md', 'aimclr'])
def test_a_step_moves_its_own_weights_only(name):
    model = built(name, 1)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    step = PlainStep(model, dict(type='SGD', lr=0.1))
    weights = [parameter.detach().clone() for parameter in step.plain.parameters()]
    run_step(step, views(METHODS[name], 0), Stopwatch('cpu'))
    after = model.state_dict()
    assert all(torch.equal(after[key], value) for key, value in before.items())
    assert any(not torch.equal(a, b) for a, b in zip(weights, step.plain.parameters()))
