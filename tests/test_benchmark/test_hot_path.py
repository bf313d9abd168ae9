"""The hot path: no wait for the device, one graph, no weight without a gradient."""

from functools import partial

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from torch._dynamo.utils import counters
from torch.utils._python_dispatch import TorchDispatchMode

from tests.test_benchmark.test_plain import METHODS, views

CONFIGS = ['cmd_ntu60', 'i2md_ntu60', 'aimclr_ntu60']


class NothingRead(TorchDispatchMode):
    """Refuses what makes the host wait for the device: values and shapes that depend on values."""

    refused = ('_local_scalar_dense', 'nonzero', 'masked_select', 'equal', 'is_nonzero', 'unique')

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        assert func.overloadpacket.__name__ not in self.refused, f'{func} waits for the device'
        return func(*args, **(kwargs or {}))


def build(name, **options):
    torch.manual_seed(0)
    model = MODELS.build(dict(METHODS[name], num_persons=1, bank=dict(type='MemoryBank', size=10), **options))
    model.init_weights()
    return model.train()


def step(model, batch):
    losses = model(batch, mode='loss')
    sum(value for name, value in losses.items() if 'loss' in name).backward()
    model.update_encoders()
    model.enqueue_keys()
    return losses


@pytest.mark.parametrize('name', METHODS)
def test_a_step_never_asks_for_a_value(name):
    model = build(name)
    with NothingRead():
        for seed in range(2):
            step(model, views(METHODS[name], seed))
        with pytest.raises(AssertionError, match='waits for the device'):
            model.bank.pointer.item()


class BankProducts(TorchDispatchMode):
    """Counts products of a batch of 4 with an entry of 10 rows."""

    count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        self.count += func.overloadpacket.__name__ == 'mm' and result.shape == (4, 10)
        return result


PRODUCTS = dict(
    moco=3, cmd=3 + 2, mcl=3 + 6, i2md=3 * 4, crossclr=3, crossclr_mining=3, crossclr_no_context=3,
    aimclr=3, aimclr_mining=2 * 3,
)  # fmt: skip


@pytest.mark.parametrize('name', METHODS)
def test_every_similarity_is_taken_once_and_none_in_vain(name):
    model = build(name)
    with BankProducts() as products:
        model.loss(views(METHODS[name], 0))
    assert products.count == PRODUCTS[name]


@pytest.mark.parametrize(
    'weights, products', [((0, 1), 12), ((1, 0), 9), ((0, 0), 9)], ids=['imd', 'cmd', 'none']
)
def test_what_weighs_nothing_is_not_computed(weights, products):
    # The cluster branch of the keys needs their similarities all the same.
    model = build('i2md', cmd_weight=weights[0], imd_weight=weights[1])
    with BankProducts() as counted:
        losses = model.loss(views(METHODS['i2md'], 0))
    assert counted.count == products
    terms = [any(f'loss_{term}_' in name for name in losses) for term in ('cmd', 'imd')]
    assert terms == [bool(weight) for weight in weights]


@pytest.mark.parametrize('name', CONFIGS)
def test_the_views_are_made_without_asking_for_a_value(name):
    preprocessor = MODELS.build(Config.fromfile(f'configs/{name}.py').model.data_preprocessor)
    keypoint, lengths = torch.randn(3, 2, 80, 25, 3), torch.tensor([80, 7, 1])
    with NothingRead():
        for view in preprocessor.train_views:
            assert view.augment(keypoint, lengths)[0].size(2) in (50, 64)


@pytest.mark.parametrize('name', ['i2md', 'aimclr_mining'])
def test_the_compiled_losses_are_one_graph_with_the_same_values(name, monkeypatch):
    batch = views(METHODS[name], 0)
    expected = step(build(name), batch)
    # The graph is what is tested; machine code for it would take minutes.
    monkeypatch.setattr(torch, 'compile', partial(torch.compile, backend='eager'))
    torch._dynamo.reset()
    counters.clear()
    model = build(name, compiled=True)
    losses = step(model, batch)
    assert {key: value.item() for key, value in losses.items()} == pytest.approx(
        {key: value.item() for key, value in expected.items()}, abs=1e-5
    )
    for seed in range(1, 4):
        step(model, views(METHODS[name], seed))
    assert counters['stats']['unique_graphs'] == 1
    assert not counters['graph_break']
    assert int(model.bank.filled) == 10


def test_a_recurrent_network_is_not_compiled():
    with pytest.raises(ValueError, match='leave model.compiled at False'):
        build('cmd', compiled=True)


@pytest.mark.parametrize('name', METHODS)
def test_every_weight_that_trains_gets_a_gradient(name):
    # Distributed training would wait for the others.
    model = build(name)
    step(model, views(METHODS[name], 0))
    assert [
        key for key, weight in model.named_parameters() if weight.requires_grad and weight.grad is None
    ] == []


@pytest.mark.parametrize('name', ['i2md', 'cmd', 'aimclr'])
def test_every_weight_of_a_classifier_that_trains_gets_a_gradient(name):
    head = dict(type='EmbeddingClsHead', num_classes=3)
    model = MODELS.build(
        dict(type='SkeletonClassifier', backbone=METHODS[name]['backbone'], num_persons=1, cls_head=head)
    )
    model(torch.randn(2, 1, 6, 25, 3), stage='head').sum().backward()
    assert [
        key for key, weight in model.named_parameters() if weight.requires_grad and weight.grad is None
    ] == []
