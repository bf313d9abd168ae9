_base_ = ['_base_/datasets/ntu60_xview.py', '_base_/methods/skeletonclr.py']

train_dataloader, val_dataloader, test_dataloader = _base_.dataloaders
