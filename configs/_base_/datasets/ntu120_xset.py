_base_ = './ntu120_xsub.py'

train_dataloader = dict(dataset=dict(split='xset_train'))
val_dataloader = dict(dataset=dict(split='xset_val'))
test_dataloader = val_dataloader
val_cfg = dict(bank=dict(split='xset_train'))
test_cfg = val_cfg
