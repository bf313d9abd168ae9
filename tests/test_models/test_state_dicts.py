"""Names, shapes and order of what a pre-training checkpoint holds, as version 0.1 wrote them.

Checkpoints of that version must load, and the state of an optimiser is kept by the order of the weights.
"""

import pytest
import torch
from mmaction.registry import MODELS

from i2md_mmaction.models.checkpoints import convert_names

BIGRU = dict(type='BiGRU', hidden_channels=4, num_layers=2)
STGCN = dict(type='SlimSTGCN', base_channels=4, embed_dims=8)
TRANSFORMER = dict(type='GCNTransformer', gcn_channels=4, gcn_layers=2, embed_dims=8, depth=1)
TRANSFORMER.update(num_heads=2, feedforward_channels=12, num_frames=6)


def build(method, **options):
    config = dict(type=method, layout='kinect20', num_persons=1, projector=dict(type='ProjectionHead'))
    config['projector'].update(out_channels=6)
    return MODELS.build({**config, 'bank': dict(type='MemoryBank', size=10), **options})


def below(prefix, entries):
    return [(f'{prefix}.{name}', shape) for name, shape in entries]


def weighted(name, *shape):
    """A weight, and a bias of its first dimension: linear layers, convolutions, LayerNorms."""
    return [(f'{name}.weight', shape), (f'{name}.bias', shape[:1])]


def batch_norm(name, width):
    statistics = [(f'{name}.running_mean', (width,)), (f'{name}.running_var', (width,))]
    return [*weighted(name, width), *statistics, (f'{name}.num_batches_tracked', ())]


def stgcn(widths):
    """The batch norm of the input and a block for each width; one that changes it has a residual."""
    entries, inputs = batch_norm('data_bn', 20 * 3), 3
    for number, width in enumerate(widths):
        block = [('gcn.PA', (3, 20, 20)), ('gcn.A', (3, 20, 20)), *batch_norm('gcn.bn', width)]
        block += weighted('gcn.conv', 3 * width, inputs, 1, 1)
        block += weighted('tcn.conv', width, width, 9, 1) + batch_norm('tcn.bn', width)
        if number and width != inputs:
            block += weighted('residual.conv', width, inputs, 1, 1) + batch_norm('residual.bn', width)
        entries, inputs = entries + below(f'gcn.{number}', block), width
    return entries


def gru_pair(inputs):
    return [
        entry
        for direction in ('forward_gru', 'reverse_gru')
        for entry in below(
            direction,
            [
                ('weight_ih_l0', (12, inputs)),
                ('weight_hh_l0', (12, 4)),
                ('bias_ih_l0', (12,)),
                ('bias_hh_l0', (12,)),
            ],
        )
    ]


def attention(name):
    projected = [(f'{name}.in_proj_weight', (24, 8)), (f'{name}.in_proj_bias', (24,))]
    return projected + weighted(f'{name}.out_proj', 8, 8)


PROJECTOR = weighted('layers.0', 8, 8) + weighted('layers.2', 6, 8)
BACKBONES = dict(
    BiGRU=batch_norm('input_norm', 60) + below('gru.0', gru_pair(60)) + below('gru.1', gru_pair(8)),
    SlimSTGCN=stgcn([4, 4, 4, 4, 8, 8, 8, 16, 16, 8]),
    GCNTransformer=[
        ('positions', (1, 6, 8)),
        *below('gcn', stgcn([4, 4])),
        *weighted('to_token', 8, 20 * 4),
        *below('layers.0', weighted('norm_self', 8) + attention('self_attention')),
        *below('layers.0', weighted('norm_cross', 8) + attention('cross_attention')),
        *below('layers.0', weighted('norm_feedforward', 8)),
        *below('layers.0', weighted('feedforward.0', 12, 8) + weighted('feedforward.2', 8, 12)),
        *weighted('norm', 8),
    ],
)
TOPK = dict(distillation=dict(type='MutualDistillationLoss', topk=4))
I2MD = dict(streams=('joint',), backbone=TRANSFORMER, num_neighbors=2, **TOPK)
METHODS = [
    ('CMD', dict(streams=('joint', 'bone'), backbone=BIGRU, **TOPK), [], dict(joint_key=6, bone_key=6)),
    ('AimCLR', dict(streams=('joint',), backbone=STGCN), [], dict(joint_key=6)),
    ('I2MD', I2MD, [], dict(joint_key=6, joint_cluster_key=6, joint_hidden=8)),
    (
        'I2MD',
        dict(I2MD, share_projector=False),
        below('cluster_projector', PROJECTOR),
        dict(joint_key=6, joint_cluster_key=6, joint_hidden=8),
    ),
]


@pytest.mark.parametrize(
    'method, options, own, bank', METHODS, ids=['CMD', 'AimCLR', 'I2MD', 'I2MD-two-projectors']
)
def test_the_state_dict_of_a_method_has_the_names_shapes_and_order_of_version_0_1(method, options, own, bank):
    backbone = BACKBONES[options['backbone']['type']]
    encoder = below('backbone', backbone) + below('projector', PROJECTOR) + own
    expected = [
        entry
        for stream in options['streams']
        for side in ('query', 'key')
        for entry in below(f'streams.{stream}.{side}', encoder)
    ]
    expected += below('bank', [(name, (10, width)) for name, width in bank.items()])
    expected += [('bank.pointer', ()), ('bank.filled', ())]
    weights = build(method, **options).state_dict()
    assert [(name, tuple(value.shape)) for name, value in weights.items()] == expected


@pytest.mark.parametrize('method, options', [case[:2] for case in METHODS[:3]])
def test_names_of_a_pretraining_checkpoint_are_left_as_they_are(method, options):
    weights = dict(build(method, **options).state_dict())
    converted = convert_names(dict(weights))
    assert converted.keys() == weights.keys()
    assert all(converted[name] is value for name, value in weights.items())


def test_names_that_are_converted_already_are_left_as_they_are():
    former = {'backbone.gru.weight': torch.ones(1), 'cls_head.fc.weight': torch.ones(2)}
    converted = convert_names(dict(former))
    assert converted['backbone.backbone.gru.weight'] is former['backbone.gru.weight']
    assert converted.keys() == {'backbone.backbone.gru.weight', 'cls_head.fc.weight'}
    assert convert_names(dict(converted)) == converted


def test_names_of_an_encoder_by_itself_are_left_as_they_are():
    encoder = dict(
        build('SkeletonMoCo', streams=('joint',), backbone=BIGRU).streams['joint'].query.state_dict()
    )
    assert any(name.startswith('backbone.') for name in encoder)
    assert convert_names(dict(encoder)).keys() == encoder.keys()
