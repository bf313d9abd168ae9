"""The option of a projector for each branch of I2MD."""

import torch
from mmaction.registry import MODELS


def build(**options):
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type='I2MD',
            streams=('joint',),
            backbone=dict(
                type='GCNTransformer',
                gcn_channels=4,
                embed_dims=16,
                depth=1,
                num_heads=2,
                feedforward_channels=16,
            ),
            bank=dict(type='MemoryBank', size=20),
            distillation=dict(type='MutualDistillationLoss', topk=8),
            num_neighbors=3,
            **options,
        )
    )
    model.init_weights()
    return model


def test_a_projector_of_its_own_serves_the_cluster_branch_alone_and_moves_with_momentum():
    model = build(share_projector=False)
    stream = model.streams['joint']
    for name, value in stream.query.cluster_projector.state_dict().items():
        assert torch.equal(value, stream.key.cluster_projector.state_dict()[name])
    views = (torch.randn(4, 2, 8, 25, 3), torch.randn(4, 2, 8, 25, 3))
    losses = model(views, mode='loss')
    losses['loss_nce_joint'].backward(retain_graph=True)
    own = stream.query.cluster_projector.layers[0].weight
    assert own.grad is None and stream.query.projector.layers[0].weight.grad.abs().sum() > 0
    losses['loss_cluster_nce_joint'].backward()
    assert own.grad.abs().sum() > 0
    with torch.no_grad():
        own.add_(1.0)
    before = stream.key.cluster_projector.layers[0].weight.clone()
    model.update_encoders()
    model.enqueue_keys()
    moved = stream.key.cluster_projector.layers[0].weight
    torch.testing.assert_close(moved, before + 0.001 * (own - before))


def test_the_branches_share_the_projector_by_default():
    assert not any('cluster_projector' in name for name, _ in build().named_parameters())
