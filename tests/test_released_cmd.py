"""Conversion of checkpoints in the layout of the released CMD code."""

import pytest
import torch
from mmaction.registry import MODELS
from torch import nn

from i2md_mmaction.released_cmd import UnknownCheckpoint, official_to_ours, ours_to_official

HIDDEN, LAYERS, SIZE = 6, 3, 12


class ReleasedEncoder(nn.Module):
    """The released encoder as its checkpoints describe it, called one frame at a time."""

    def __init__(self, mlp):
        super().__init__()
        self.encoder = nn.Module()
        self.encoder.gru = nn.GRU(150, HIDDEN, LAYERS, batch_first=True, bidirectional=True)
        self.input_norm = nn.BatchNorm1d(150)
        layers = [nn.Linear(2 * HIDDEN, 2 * HIDDEN), nn.ReLU(), nn.Linear(2 * HIDDEN, 128)]
        self.fc = nn.Sequential(*layers) if mlp else nn.Linear(2 * HIDDEN, 128)

    def forward(self, keypoint):
        frames = keypoint.permute(0, 2, 3, 4, 1).flatten(2)
        frames = self.input_norm(frames.transpose(1, 2)).transpose(1, 2)
        state = None
        for frame in frames.split(1, dim=1):
            output, state = self.encoder.gru(frame, state)
        return nn.functional.normalize(self.fc(output[:, 0]), dim=1)


def released_model(mlp=True):
    torch.manual_seed(0)
    model = nn.Module()
    for stream in ('', '_motion', '_bone'):
        for side in 'qk':
            encoder = ReleasedEncoder(mlp)
            nn.init.normal_(encoder.input_norm.running_mean, std=0.1)
            model.add_module(f'encoder_{side}{stream}', encoder)
        model.register_buffer(f'queue{stream}', nn.functional.normalize(torch.randn(128, SIZE), dim=0))
        model.register_buffer(f'queue_ptr{stream}', torch.tensor([4]))
    return model.eval()


def released_checkpoint(mlp=True, prefix=''):
    model = released_model(mlp)
    weights = {f'{prefix}{name}': value for name, value in model.state_dict().items()}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9).state_dict()
    return dict(epoch=450, state_dict=weights, optimizer=optimizer)


def our_model(mlp=True):
    return MODELS.build(
        dict(
            type='CMD',
            backbone=dict(type='BiGRU', hidden_channels=HIDDEN, num_layers=LAYERS),
            projector=dict(type='ProjectionHead', num_layers=2 if mlp else 1),
            bank=dict(type='MemoryBank', size=SIZE),
            distillation=dict(type='MutualDistillationLoss', topk=4),
        )
    ).eval()


def assert_same(left, right):
    assert type(left) is type(right)
    if isinstance(left, dict):
        assert left.keys() == right.keys()
        for key in left:
            assert_same(left[key], right[key])
    elif isinstance(left, torch.Tensor):
        assert left.dtype == right.dtype and torch.equal(left, right)
    else:
        assert left == right


@pytest.mark.parametrize('mlp', [True, False])
@pytest.mark.parametrize('prefix', ['', 'module.'])
def test_a_released_checkpoint_gives_the_released_embeddings_here(mlp, prefix):
    ours = our_model(mlp)
    ours.load_state_dict(official_to_ours(released_checkpoint(mlp, prefix))['state_dict'])
    released = released_model(mlp)
    keypoint = torch.randn(3, 2, 9, 25, 3)
    for name, suffix in (('joint', ''), ('motion', '_motion'), ('bone', '_bone')):
        for side, letter in (('query', 'q'), ('key', 'k')):
            here = getattr(ours.streams[name], side)(keypoint).embedding
            there = getattr(released, f'encoder_{letter}{suffix}')(
                ours.streams[name].query.modality(keypoint)
            )
            torch.testing.assert_close(here, there, rtol=0, atol=1e-6)
        assert torch.equal(ours.bank[f'{name}_key'], getattr(released, f'queue{suffix}').T)
    assert int(ours.bank.pointer) == 4 and int(ours.bank.filled) == SIZE


@pytest.mark.parametrize('mlp', [True, False])
@pytest.mark.parametrize('prefix', ['', 'module.'])
def test_a_released_checkpoint_comes_back_whole(mlp, prefix):
    checkpoint = released_checkpoint(mlp, prefix)
    assert_same(ours_to_official(official_to_ours(checkpoint)), checkpoint)


def test_a_checkpoint_of_ours_comes_back_whole():
    model = our_model()
    model.bank.enqueue(**{f'{name}_key': torch.rand(5, 128) for name in model.streams})
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1).state_dict()
    checkpoint = dict(meta=dict(epoch=3, seed=0), state_dict=dict(model.state_dict()), optimizer=optimizer)
    official = ours_to_official(checkpoint)
    assert official['epoch'] == 3 and official['state_dict']['queue'].shape == (128, SIZE)
    assert_same(official_to_ours(official), checkpoint)


def test_what_the_conversion_does_not_know_is_named_and_refused():
    checkpoint = released_checkpoint()
    checkpoint['state_dict']['encoder_q.encoder.attention.weight'] = torch.zeros(1)
    with pytest.raises(UnknownCheckpoint, match=r'encoder_q\.encoder\.attention\.weight'):
        official_to_ours(checkpoint)
    with pytest.raises(UnknownCheckpoint, match='streams.joint.query.backbone.gcn'):
        ours_to_official(dict(state_dict={'streams.joint.query.backbone.gcn.weight': torch.zeros(1)}))


def test_queues_out_of_step_are_refused():
    checkpoint = released_checkpoint()
    checkpoint['state_dict']['queue_ptr_bone'] = torch.tensor([5])
    with pytest.raises(UnknownCheckpoint, match=r'pointers are \[4, 4, 5\]'):
        official_to_ours(checkpoint)


def test_the_tool_converts_files_both_ways(tmp_path, capsys):
    from tools import convert_checkpoint

    checkpoint = released_checkpoint()
    torch.save(checkpoint, tmp_path / 'released.pth.tar')
    convert_checkpoint.main([str(tmp_path / 'released.pth.tar'), str(tmp_path / 'ours.pth')])
    convert_checkpoint.main([str(tmp_path / 'ours.pth'), str(tmp_path / 'back.pth.tar'), '--to', 'official'])
    assert_same(torch.load(tmp_path / 'back.pth.tar', weights_only=True), checkpoint)
    assert 'in the official layout' in capsys.readouterr().out
