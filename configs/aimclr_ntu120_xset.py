_base_ = ['_base_/datasets/ntu120_xset.py', '_base_/methods/aimclr.py']

train_dataloader, val_dataloader, test_dataloader = _base_.dataloaders
