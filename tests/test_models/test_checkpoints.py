"""Weights fit exactly, or what does not is named in few lines."""

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.runner import load_checkpoint
from torch import nn

from i2md_mmaction.models.checkpoints import (
    CheckpointMismatch,
    check_settings,
    check_weights,
    load_weights,
    origin,
    read_checkpoint,
)


@pytest.fixture
def model():
    backbone = dict(type='BiGRU', hidden_channels=4, num_layers=2)
    return MODELS.build(dict(type='SkeletonMoCo', backbone=backbone, bank=dict(type='MemoryBank', size=8)))


def test_weights_that_fit_are_taken_with_or_without_counters(model):
    weights = model.state_dict()
    check_weights(model, weights, 'x')
    counters = [name for name in weights if name.endswith('num_batches_tracked')]
    assert counters
    check_weights(model, {name: value for name, value in weights.items() if name not in counters}, 'x')


def test_what_does_not_fit_is_grouped_into_few_lines(model):
    weights = {f'module.{name}': value for name, value in model.state_dict().items()}
    kept = [name for name in model.state_dict() if 'bone.key' not in name and not name.startswith('bank')]
    weights = {name: model.state_dict()[name] for name in kept}
    weights['streams.joint.query.projector.layers.0.weight'] = torch.zeros(3, 3)
    weights.update({f'head.layer{number}.weight': torch.zeros(1) for number in range(40)})
    with pytest.raises(CheckpointMismatch) as error:
        check_weights(model, weights, 'x.pth', 'Said.')
    lines = str(error.value).splitlines()
    assert lines[0] == 'x.pth does not fit SkeletonMoCo:' and lines[-1] == 'Said.' and len(lines) == 5
    total, missing = (
        len(model.state_dict()),
        len(model.state_dict()) - len(kept) - 1,
    )  # a counter may be missing
    assert lines[1].startswith(f'  missing {missing} of {total}: ') and 'streams.bone.key.' in lines[1]
    assert lines[2].startswith('  unexpected 40 of ') and lines[2].endswith(': head.* (40)')
    assert lines[3].endswith('is (3, 3) in the checkpoint, (8, 8) in the model')


@pytest.mark.parametrize('road', ['torch', 'MMEngine', 'ours'])
def test_every_road_into_a_model_is_strict(model, road, tmp_path):
    weights = dict(list(model.state_dict().items())[::2])
    torch.save(dict(state_dict=weights), tmp_path / 'half.pth')
    roads = dict(
        torch=lambda: model.load_state_dict(weights),
        MMEngine=lambda: load_checkpoint(model, str(tmp_path / 'half.pth')),  # as init_recognizer does
        ours=lambda: load_weights(model, tmp_path / 'half.pth'),
    )
    with pytest.raises(CheckpointMismatch, match='does not fit SkeletonMoCo:\n  missing'):
        roads[road]()


def test_a_part_is_loaded_only_where_torch_is_asked_to(model):
    name, value = next((n, v) for n, v in model.state_dict().items() if v.dim() == 2 and 'query' in n)
    value = value + 1
    missing, unexpected = model.load_state_dict({name: value}, strict=False)
    assert torch.equal(model.state_dict()[name], value) and missing and not unexpected
    with pytest.raises(CheckpointMismatch):
        model.load_state_dict({name: value})


def test_a_checkpoint_says_where_it_came_from():
    meta = dict(cfg="model = dict(type='CMD', layout='ntu25')\n", experiment_name='cmd_ntu60_20260101_120000')
    said = 'The checkpoint says that it came from: model CMD, experiment cmd_ntu60_20260101_120000.'
    assert origin(dict(meta=meta)) == said
    assert origin({}) == origin(dict(meta=dict())) == ''


def test_layouts_are_compared_also_where_one_side_leaves_the_default():
    differing = ["layout is 'ntu25' in the checkpoint and 'coco17' in the config"]
    assert check_settings(dict(layout='ntu25', type='CMD'), dict(layout='coco17')) == differing
    assert check_settings(dict(type='CMD'), dict(layout='coco17')) == differing
    assert check_settings(dict(type='CMD', layout='coco17'), dict(type='CMD')) == [
        "layout is 'coco17' in the checkpoint and 'ntu25' in the config"
    ]
    assert check_settings(dict(type='CMD'), dict(layout='ntu25')) == []
    assert check_settings({}, dict(layout='coco17')) == []


def test_a_file_that_is_no_checkpoint_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='there is no checkpoint .*none.pth'):
        read_checkpoint(tmp_path / 'none.pth')
    (tmp_path / 'text.pth').write_text('hello')
    with pytest.raises(CheckpointMismatch, match='text.pth cannot be read: '):
        read_checkpoint(tmp_path / 'text.pth')
    torch.save([1, 2], tmp_path / 'list.pth')
    with pytest.raises(CheckpointMismatch, match='list.pth holds a list, expected a checkpoint'):
        read_checkpoint(tmp_path / 'list.pth')
    torch.save(nn.Linear(2, 1).state_dict(), tmp_path / 'bare.pth')
    assert set(read_checkpoint(tmp_path / 'bare.pth')['state_dict']) == {'weight', 'bias'}
