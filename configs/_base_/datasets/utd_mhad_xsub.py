# UTD-MHAD: odd against even subjects, joints as Northwestern-UCLA's.
_base_ = './nw_ucla_xview.py'

_dataset = dict(name='utd_mhad', ann_file=f'{_base_.data_root}/utd_mhad.pkl', num_classes=27)
train_dataloader = dict(dataset=dict(split='xsub_train', **_dataset))
val_dataloader = dict(dataset=dict(split='xsub_val', **_dataset))
test_dataloader = val_dataloader
val_cfg = dict(bank=dict(split='xsub_train'))
test_cfg = val_cfg

# 431 sequences.
fitted = dict(bank=dict(size=512))
small = fitted
del _dataset
