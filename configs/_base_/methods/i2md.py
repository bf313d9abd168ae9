# I2MD (section 4.2); what it shares with CMD stands there.
# Its batches are of 256, which the config of a dataset sets.
_base_ = './cmd.py'

model = dict(
    type='I2MD',
    backbone=dict(
        _delete_=True,
        type='GCNTransformer',
        gcn_channels=64,
        gcn_layers=3,
        embed_dims=768,
        depth=6,
        num_heads=12,
        feedforward_channels=3072,
        num_frames=64,
        with_cp=False,
    ),
    compiled=False,
    num_neighbors=64,
    imd_weight=1.0,
    cmd_weight=0.5,
)

train_cfg = dict(max_epochs=500)
param_scheduler = [dict(type='MultiStepLR', milestones=[400], gamma=0.1)]
auto_scale_lr = dict(base_batch_size=256)
