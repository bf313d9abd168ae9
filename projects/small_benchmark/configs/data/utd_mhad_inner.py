# The training subjects of UTD-MHAD apart: 1, 3 and 5 to train on, 7 to test on. Settings are chosen here.
_base_ = './utd_mhad.py'

_dataset = dict(name='utd_mhad_inner', ann_file='work_dirs/small_benchmark/utd_mhad_inner.pkl')
train_dataloader = dict(dataset=dict(split='inner_train', **_dataset))
val_dataloader = dict(dataset=dict(split='inner_val', **_dataset))
test_dataloader = val_dataloader
val_cfg = dict(bank=dict(split='inner_train'))
test_cfg = val_cfg
del _dataset
