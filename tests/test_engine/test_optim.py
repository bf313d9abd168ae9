"""bfloat16 on a machine without a GPU."""

import pytest
import torch
from mmaction.registry import OPTIM_WRAPPERS
from mmengine.optim import OptimWrapper
from torch import nn


def wrapper(model, **options):
    """The wrapper of the configs that pre-train."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return OPTIM_WRAPPERS.build(dict(type='BFloat16OptimWrapper', optimizer=optimizer, **options))


def linear():
    torch.manual_seed(0)
    return nn.Linear(4, 3)


def test_a_step_computes_in_bfloat16_and_moves_float32_weights_by_the_gradient():
    model, x = linear(), torch.randn(5, 4, generator=torch.Generator().manual_seed(1))
    reference = linear()
    optim = wrapper(model)
    with optim.optim_context(model):
        output = model(x)
    optim.update_params(output.float().square().sum())
    with torch.autocast('cpu', torch.bfloat16):
        expected = reference(x)
    expected.float().square().sum().backward()
    assert output.dtype == torch.bfloat16
    for parameter, other in zip(model.parameters(), reference.parameters()):
        assert parameter.dtype == torch.float32
        torch.testing.assert_close(parameter, other - 0.1 * other.grad, atol=1e-6, rtol=0)


def test_gradients_are_clipped_at_their_own_scale():
    model = linear()
    before = [parameter.detach().clone() for parameter in model.parameters()]
    optim = wrapper(model, clip_grad=dict(max_norm=0.5))
    optim.update_params(1000 * model(torch.ones(2, 4)).sum())
    moved = torch.cat([(new - old).flatten() for new, old in zip(model.parameters(), before)])
    assert moved.norm().item() == pytest.approx(0.1 * 0.5, rel=1e-3)


def test_gradients_of_accumulated_iterations_are_averaged():
    model, reference = linear(), linear()
    optim = wrapper(model, accumulative_counts=2)
    for scale in (1.0, 3.0):
        optim.update_params(model(scale * torch.ones(1, 4)).sum())
    sum(reference(scale * torch.ones(1, 4)).sum() / 2 for scale in (1.0, 3.0)).backward()
    torch.testing.assert_close(model.weight, reference.weight - 0.1 * reference.weight.grad)


def test_the_state_comes_back_and_also_that_of_a_run_in_float32():
    model = linear()
    optim = wrapper(model)
    optim.load_state_dict(optim.state_dict())
    plain = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.3))
    optim.load_state_dict(plain.state_dict())
    assert optim.get_lr() == {'lr': [0.3]}
