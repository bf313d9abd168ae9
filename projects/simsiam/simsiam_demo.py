# SimSiam on the demo data; encoder, views and schedule are those of moco_demo.py. All sizes are ours.
_base_ = '../../configs/moco_demo.py'

custom_imports = dict(imports=['i2md_mmaction', 'projects.simsiam.simsiam'])
model = dict(
    _delete_=True,
    type='SkeletonSimSiam',
    streams=_base_.model.streams,
    data_preprocessor=_base_.model.data_preprocessor,
    backbone=_base_.model.backbone,
    projector=_base_.model.projector,
)
_hooks = {name: hook for name, hook in _base_.default_hooks.items() if name != 'memory'}
default_hooks = dict(_delete_=True, **_hooks)
del _hooks
