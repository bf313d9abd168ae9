# MoCo at full size on Northwestern-UCLA, for a GPU; moco_nwucla_small.py is for a CPU.
_base_ = ['_base_/datasets/nw_ucla_xview.py', '_base_/methods/moco.py']

model = dict(
    layout=_base_.body.layout,
    data_preprocessor=dict(**_base_.views, **_base_.body),
    backbone=_base_.body,
    # 1,020 sequences: a bank of several epochs would be stale. Ours.
    bank=dict(size=1024),
)
