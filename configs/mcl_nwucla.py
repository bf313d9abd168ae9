# MCL at full size on Northwestern-UCLA, for a GPU.
_base_ = ['_base_/datasets/nw_ucla_xview.py', '_base_/methods/mcl.py']

model = dict(
    layout=_base_.body.layout,
    data_preprocessor=dict(**_base_.views, **_base_.body),
    backbone=_base_.body,
    bank=dict(size=1024),
)
