# PKU-MMD, phase I, cross-subject: 51 classes.
_base_ = './ntu60_xsub.py'

dataset = dict(name='pku1', ann_file='{{$I2MD_DATA:data}}/pku1_3d.pkl', num_classes=51)
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = val_dataloader
