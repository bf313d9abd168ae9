# PKU-MMD, phase II, cross-subject: 51 classes.
_base_ = './ntu60_xsub.py'

_loader = dict(dataset=dict(name='pku2', ann_file=f'{_base_.data_root}/pku2_3d.pkl', num_classes=51))
train_dataloader = _loader
val_dataloader = _loader
test_dataloader = _loader
del _loader
