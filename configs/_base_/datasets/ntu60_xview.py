_base_ = './ntu60_xsub.py'

train_dataloader = dict(dataset=dict(split='xview_train'))
val_dataloader = dict(dataset=dict(split='xview_val'))
test_dataloader = val_dataloader
val_cfg = dict(bank=dict(split='xview_train'))
test_cfg = val_cfg
