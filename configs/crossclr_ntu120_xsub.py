_base_ = ['_base_/datasets/ntu120_xsub.py', '_base_/methods/crossclr.py']

train_dataloader, val_dataloader, test_dataloader = _base_.dataloaders
