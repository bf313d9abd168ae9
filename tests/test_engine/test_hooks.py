"""Hooks: when each does its job, and what is left of a checkpoint's objects."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmaction.registry import HOOKS
from mmengine.hooks import LoggerHook, RuntimeInfoHook
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from torch import nn

from i2md_mmaction import engine
from i2md_mmaction.engine import PortableCheckpointHook, hooks

#: What the config of a run says of its model.
SETTINGS = dict(type='CMD', layout='kinect20')


class Model(nn.Module):
    """Counts the updates of its memory."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)
        self.updates, self.enqueued, self.imd_weight, self.mining = 0, 0, 1.0, False

    def update_encoders(self):
        self.updates += 1

    def enqueue_keys(self):
        self.enqueued += 1
        assert self.enqueued == self.updates  # after the encoders


def runner(**fields):
    """Stands in for MMEngine's runner."""
    model = fields.pop('model', Model())
    messages = []
    logger = SimpleNamespace(info=messages.append, messages=messages)
    defaults = dict(model=model, seed=7, iter=0, epoch=0, logger=logger, cfg=dict(model=SETTINGS))
    return SimpleNamespace(**{**defaults, **fields})


@pytest.mark.parametrize('accumulated, iterations', [(1, 4), (3, 6), (3, 7), (4, 3)])
def test_the_memory_is_updated_exactly_when_the_optimiser_stepped(accumulated, iterations):
    model = Model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    wrapper = OptimWrapper(optimizer, accumulative_counts=accumulated)
    wrapper.initialize_count_status(model, 0, iterations)
    hook, stub = hooks.MoCoMemoryHook(), runner(model=model, optim_wrapper=wrapper)
    for index in range(iterations):
        before, updates = model.layer.weight.detach().clone(), model.updates
        wrapper.update_params(model.layer(torch.ones(1, 2)).sum())
        hook.after_train_iter(stub, index)
        stepped = not torch.equal(model.layer.weight, before)
        assert model.updates - updates == stepped
    # The last iteration steps whatever has come together by then.
    assert model.updates == -(-iterations // accumulated)


def test_the_memory_of_a_wrapped_model_is_updated_too():
    wrapped = MMDistributedDataParallel.__new__(MMDistributedDataParallel)
    nn.Module.__init__(wrapped)
    wrapped.module = Model()
    stub = runner(model=wrapped, optim_wrapper=SimpleNamespace(should_update=lambda: True))
    hooks.MoCoMemoryHook().after_train_iter(stub, 0)
    assert wrapped.module.updates == 1


def drawn(monkeypatch, seed=7, rank=0, iteration=0):
    """What a step draws after the hook."""
    monkeypatch.setattr(hooks, 'get_rank', lambda: rank)
    hooks.StepSeedHook().before_train_iter(runner(seed=seed, iter=iteration), batch_idx=0)
    return torch.rand(8).tolist()


def test_a_step_draws_the_same_whatever_was_drawn_before(monkeypatch):
    first = drawn(monkeypatch)
    torch.rand(1000)
    assert drawn(monkeypatch) == first


def test_another_seed_rank_or_iteration_draws_something_else(monkeypatch):
    places = [(seed, rank, step) for seed in range(4) for rank in range(4) for step in range(4)]
    draws = {tuple(drawn(monkeypatch, *place)) for place in places}
    assert len(draws) == len(places)


STAGES = [
    dict(begin=5, imd_weight=0.5, mining=True),
    dict(begin=0, imd_weight=0.0),
    dict(begin=2, imd_weight=2.0),
]


def test_a_stage_sets_its_attributes_from_its_first_epoch_on():
    hook, stub = hooks.PretrainStageHook(STAGES), runner()
    seen = []
    for stub.epoch in range(7):
        hook.before_train_epoch(stub)
        seen.append((stub.model.imd_weight, stub.model.mining))
    assert seen == [(0.0, False)] * 2 + [(2.0, False)] * 3 + [(0.5, True)] * 2
    assert len(stub.logger.messages) == 3 and "{'imd_weight': 2.0}" in stub.logger.messages[1]


def test_a_resumed_run_finds_the_stage_it_was_in():
    stub = runner(epoch=4)
    hooks.PretrainStageHook(STAGES).before_train_epoch(stub)
    assert stub.model.imd_weight == 2.0


def test_a_stage_may_begin_at_a_share_of_all_epochs():
    stages = [dict(begin=0.5, imd_weight=2.0), dict(begin=0, imd_weight=0.0), dict(begin=3, imd_weight=1.0)]
    hook, stub = hooks.PretrainStageHook(stages), runner(max_epochs=8)
    seen = []
    for stub.epoch in range(8):
        hook.before_train_epoch(stub)
        seen.append(stub.model.imd_weight)
    assert seen == [0.0] * 3 + [1.0] + [2.0] * 4


@pytest.mark.parametrize('stages', [[], [dict(begin=1, imd_weight=1.0)]])
def test_stages_that_leave_the_first_epoch_open_are_refused(stages):
    with pytest.raises(ValueError, match='first stage must begin at epoch 0'):
        hooks.PretrainStageHook(stages)


def test_a_stage_cannot_set_what_the_model_does_not_have():
    stages = [dict(begin=0, imd_weight=1.0), dict(begin=300, imd_wieght=1.0)]
    with pytest.raises(AttributeError, match="Model has no 'imd_wieght' that the stage from epoch 301"):
        hooks.PretrainStageHook(stages).before_train(runner())


@pytest.fixture
def checkpoint():
    """As MMEngine's runner makes it."""
    loss, empty = HistoryBuffer(max_length=3), HistoryBuffer()
    for value, count in ((4.0, 1), (3.0, 2), (2.5, 2), (2.25, 8)):
        loss.update(value, count)
    return dict(
        meta=dict(epoch=3, iter=12, seed=np.int64(7), dataset_meta=dict(classes=('walk', 'sit'))),
        state_dict=nn.Linear(2, 1).state_dict(),
        message_hub=dict(
            log_scalars={'train/loss': loss, 'train/none': empty},
            runtime_info=dict(best=np.float32(0.5), scores=np.arange(3.0), notes=[('a', 1), None]),
            resumed_keys={'train/loss': True},
        ),
        optimizer=dict(state={0: dict(momentum=torch.ones(2))}, param_groups=[dict(lr=0.1, params=[0])]),
    )


def saved_and_loaded(checkpoint, path, **options):
    """The checkpoint after the hook, a file, and torch's safe loader."""
    PortableCheckpointHook().before_save_checkpoint(runner(), checkpoint)
    torch.save(checkpoint, path)
    return torch.load(path, weights_only=True, **options)


def test_settings_that_are_no_plain_values_do_not_spoil_a_checkpoint(checkpoint, tmp_path):
    """A config in Python's own style names classes, which the safe loader refuses."""
    cfg = dict(model=dict(type=Model, layout='kinect20', backbone=dict(type=Model)))
    PortableCheckpointHook().before_save_checkpoint(runner(cfg=cfg), checkpoint)
    torch.save(checkpoint, tmp_path / 'epoch_3.pth')
    loaded = torch.load(tmp_path / 'epoch_3.pth', weights_only=True)
    assert loaded['meta']['model'] == dict(layout='kinect20')


def test_without_the_hook_the_safe_loader_refuses_the_history(checkpoint, tmp_path):
    torch.save(checkpoint, tmp_path / 'epoch_3.pth')
    with pytest.raises(Exception, match='HistoryBuffer|weights_only'):
        torch.load(tmp_path / 'epoch_3.pth', weights_only=True)


def test_a_portable_checkpoint_brings_every_history_back(checkpoint, tmp_path):
    expected = dict(checkpoint['message_hub']['log_scalars'])
    loaded = saved_and_loaded(checkpoint, tmp_path / 'epoch_3.pth')
    PortableCheckpointHook().after_load_checkpoint(runner(), loaded)
    scalars = loaded['message_hub']['log_scalars']
    assert set(scalars) == set(expected)
    for name, history in expected.items():
        assert isinstance(scalars[name], HistoryBuffer) and scalars[name].max_length == history.max_length
        for part, own in zip(scalars[name].data, history.data):
            np.testing.assert_array_equal(part, own)
    loss = scalars['train/loss']
    assert loss.data[0].tolist() == [3.0, 2.5, 2.25] and loss.data[1].tolist() == [2, 2, 8]
    for history in (loss, expected['train/loss']):
        history.update(1.0, 4)
    assert loss.mean() == expected['train/loss'].mean() and loss.data[0].tolist() == [2.5, 2.25, 1.0]


def test_a_portable_checkpoint_brings_plain_values_back(checkpoint, tmp_path):
    weights = {name: value.clone() for name, value in checkpoint['state_dict'].items()}
    loaded = saved_and_loaded(checkpoint, tmp_path / 'epoch_3.pth')
    assert loaded['meta'] == dict(
        epoch=3, iter=12, seed=7, dataset_meta=dict(classes=('walk', 'sit')), model=SETTINGS
    )
    info = loaded['message_hub']['runtime_info']
    assert info['best'] == 0.5 and info['notes'] == [('a', 1), None] and list(info['scores']) == [0, 1, 2]
    assert loaded['optimizer']['param_groups'] == [dict(lr=0.1, params=[0])]
    assert torch.equal(loaded['optimizer']['state'][0]['momentum'], torch.ones(2))
    assert all(torch.equal(loaded['state_dict'][name], value) for name, value in weights.items())


def test_saving_leaves_the_histories_of_the_run_as_they_are(checkpoint):
    history = checkpoint['message_hub']['log_scalars']
    loss = history['train/loss']
    PortableCheckpointHook().before_save_checkpoint(runner(), checkpoint)
    assert history['train/loss'] is loss and isinstance(loss, HistoryBuffer)


def test_a_checkpoint_without_a_history_is_left_alone():
    for checkpoint in ({}, dict(state_dict={}, message_hub={})):
        before = dict(checkpoint)
        PortableCheckpointHook().after_load_checkpoint(runner(), checkpoint)
        assert checkpoint == before


class OnDevice(torch.Tensor):
    """Stands in for a tensor on a GPU, whose numbers NumPy cannot reach."""

    def numpy(self, *args, **kwargs):
        raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() first")

    def cpu(self, *args, **kwargs):
        return self.as_subclass(torch.Tensor)


def test_a_history_that_was_loaded_onto_the_gpu_comes_back(checkpoint, tmp_path):
    # Runner.resume loads the whole checkpoint onto the device of the model.
    loaded = saved_and_loaded(checkpoint, tmp_path / 'epoch_3.pth')
    stored = loaded['message_hub']['log_scalars']['train/loss']
    for name, value in stored.items():
        if isinstance(value, list):
            stored[name] = [part.as_subclass(OnDevice) for part in value]
    PortableCheckpointHook().after_load_checkpoint(runner(), loaded)
    assert loaded['message_hub']['log_scalars']['train/loss'].data[0].tolist() == [3.0, 2.5, 2.25]


@pytest.mark.parametrize(
    'name',
    ['MoCoMemoryHook', 'MomentumScheduleHook', 'StepSeedHook', 'PretrainStageHook', 'PortableCheckpointHook'],
)
def test_the_hooks_are_known_to_mmaction2(name):
    assert HOOKS.get(name) is getattr(engine, name)


def hub_of(hook, values, interval):
    """The message hub after a run of two epochs, and how many values it held after each iteration."""
    hub = MessageHub(f'hub{id(values)}{type(hook).__name__}{interval}')
    loader = [None] * (len(values) // 2)
    stub = runner(
        message_hub=hub,
        max_epochs=2,
        max_iters=len(values),
        hooks=[LoggerHook(interval=interval)],
        train_dataloader=type('Loader', (list,), dict(dataset=None))(loader),
    )
    hook.before_train(stub)
    held = []
    for index, value in enumerate(values):
        outputs = dict(loss=torch.tensor(value), acc=torch.tensor([2 * value]).mean(), constant=3.0)
        hook.after_train_iter(stub, index % len(loader), outputs=outputs)
        held.append(len(hub.log_scalars['train/loss'].data[0]) if 'train/loss' in hub.log_scalars else 0)
    return hub, held, stub


def test_losses_are_read_when_they_are_logged_and_the_history_is_mmengines():
    values = [0.5, 1.25, 2.5, 3.0, 4.0, 0.125, 7.0, 8.0, 9.0, 1.0]
    ours, held, _ = hub_of(hooks.DeferredRuntimeInfoHook(), values, interval=2)
    theirs, _, _ = hub_of(RuntimeInfoHook(), values, interval=2)
    # Epochs of five: at the second and fourth iteration and at the end.
    assert held == [0, 2, 2, 4, 5, 5, 7, 7, 9, 10]
    for name in ('train/loss', 'train/acc', 'train/constant'):
        for mine, expected in zip(ours.log_scalars[name].data, theirs.log_scalars[name].data):
            assert mine.tolist() == expected.tolist()


def test_a_checkpoint_between_two_lines_of_the_log_has_the_whole_history():
    hook = hooks.DeferredRuntimeInfoHook()
    _, held, stub = hub_of(hook, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], interval=50)
    hook.after_train_iter(stub, 0, outputs=dict(loss=torch.tensor(7.0)))
    checkpoint = dict(message_hub=stub.message_hub.state_dict())
    assert checkpoint['message_hub']['log_scalars']['train/loss'].data[0].tolist()[-1] == 6.0
    hook.before_save_checkpoint(stub, checkpoint)
    assert checkpoint['message_hub']['log_scalars']['train/loss'].data[0].tolist()[-1] == 7.0
