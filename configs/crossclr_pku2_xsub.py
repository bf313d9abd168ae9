_base_ = ['_base_/datasets/pku2_xsub.py', '_base_/methods/crossclr.py']

train_dataloader, val_dataloader, test_dataloader = _base_.dataloaders
