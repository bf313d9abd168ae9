# Semi-supervised with the labels of 10 % of the training samples.
_base_ = './semi_1.py'

train_dataloader = dict(dataset=dict(subset=dict(fraction=0.1)))
