# MSR-Action3D: odd against even subjects, all 20 actions, joints as Northwestern-UCLA's. The subsets of
# the data set's paper are the splits as1, as2 and as3.
_base_ = './nw_ucla_xview.py'

_dataset = dict(name='msr_action3d', ann_file=f'{_base_.data_root}/msr_action3d.pkl', num_classes=20)
train_dataloader = dict(dataset=dict(split='xsub_train', **_dataset))
val_dataloader = dict(dataset=dict(split='xsub_val', **_dataset))
test_dataloader = val_dataloader
val_cfg = dict(bank=dict(split='xsub_train'))
test_cfg = val_cfg

# 284 sequences.
fitted = dict(bank=dict(size=256))
small = fitted
del _dataset
