# Semi-supervised with the labels of 20 % of the training samples.
_base_ = './semi_1.py'

work_dir = './work_dirs/semi_20_' + '{{$I2MD_CONFIG:cmd_ntu60}}'.rsplit('/', 1)[-1]
train_dataloader = dict(dataset=dict(subset=dict(fraction=0.2)))
