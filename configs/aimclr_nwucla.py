# AimCLR on Northwestern-UCLA, joint stream; aimclr_nwucla_small.py is for a CPU.
# The axes are aligned as for CMD here, since the split is by camera.
_base_ = ['_base_/datasets/nw_ucla_xview.py', '_base_/methods/aimclr.py']

extreme_view = [
    dict(step, layout=_base_.body.layout) if 'layout' in step else step for step in _base_.extreme_view
]
model = dict(
    layout=_base_.body.layout,
    data_preprocessor=dict(train_views=[_base_.normal_view, _base_.normal_view, extreme_view], **_base_.body),
    backbone=dict(layout=_base_.body.layout),
    bank=dict(size=1024),
)
