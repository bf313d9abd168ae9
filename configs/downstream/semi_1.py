# Semi-supervised: fine-tuning with the labels of 1 % of the training samples, drawn uniformly as CMD
# does; train_dataloader.dataset.subset.balance=class draws as AimCLR does, from each class.
# The papers average five seeds: tools/evaluate.py runs them.
_base_ = './finetune.py'

work_dir = './work_dirs/semi_1_' + '{{$I2MD_CONFIG:cmd_ntu60}}'.rsplit('/', 1)[-1]
train_dataloader = dict(dataset=dict(subset=dict(fraction=0.01, balance='uniform', seed=0)))
