# CMD with mmaction2's STGCN++ as the encoder of each stream.
_base_ = '../../configs/cmd_ntu60.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='STGCN',
        gcn_adaptive='init',
        gcn_with_res=True,
        tcn_type='mstcn',
        graph_cfg=dict(layout='nturgb+d', mode='spatial'),
    ),
    projector=dict(in_channels=256),
)
