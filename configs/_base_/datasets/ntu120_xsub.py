_base_ = './ntu60_xsub.py'

dataset = dict(name='ntu120', ann_file='{{$I2MD_DATA:data}}/ntu120_3d.pkl', num_classes=120)
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = val_dataloader
