# I2MD's encoder as the backbone of mmaction2's recognizer, trained with labels. Sizes are ours.
_base_ = './stgcnpp_our_views.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='GCNTransformer',
        embed_dims=256,
        depth=4,
        num_heads=8,
        feedforward_channels=1024,
        num_frames=100,
        cross_attention=False,
    ),
    cls_head=dict(_delete_=True, type='EmbeddingClsHead', num_classes=60, in_channels=256),
)
# SGD at 0.1 is for convolutions.
optim_wrapper = dict(optimizer=dict(_delete_=True, type='AdamW', lr=1e-3, weight_decay=0.05))
