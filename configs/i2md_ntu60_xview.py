_base_ = ['_base_/datasets/ntu60_xview.py', '_base_/methods/i2md.py']

train_dataloader = dict(batch_size=256)
