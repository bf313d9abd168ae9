_base_ = './ntu60_xsub.py'

_loader = dict(dataset=dict(name='ntu120', ann_file=f'{_base_.data_root}/ntu120_3d.pkl', num_classes=120))
train_dataloader = _loader
val_dataloader = _loader
test_dataloader = _loader
del _loader
