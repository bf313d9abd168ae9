# MoCo v2 on three streams, with the encoder of all methods here. All sizes are ours.
_base_ = '../../../../configs/_base_/methods/moco_small.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='GCNTransformer',
        gcn_channels=16,
        gcn_layers=2,
        embed_dims=64,
        depth=2,
        num_heads=4,
        feedforward_channels=128,
        num_frames=32,
    )
)
