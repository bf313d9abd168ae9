_base_ = ['_base_/datasets/pku1_xsub.py', '_base_/methods/aimclr.py']

train_dataloader, val_dataloader, test_dataloader = _base_.dataloaders
