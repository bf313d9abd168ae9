# Semi-supervised: fine-tuning with the labels of 1 % of the training samples, drawn uniformly as CMD
# does; balance='class' draws as AimCLR does, from each class. The papers average five seeds.
_base_ = './finetune.py'

train_dataloader = dict(dataset=dict(subset=dict(fraction=0.01, balance='uniform', seed=0)))
