# Northwestern-UCLA: views 1 and 2 against view 3, one person, 20 joints.
_base_ = './ntu60_xsub.py'

body = dict(layout='kinect20', num_persons=1)
dataset = dict(
    ann_file='{{$I2MD_DATA:data}}/nw_ucla_3d.pkl',
    num_classes=10,
    pipeline=[
        dict(type='SkeletonPreNormalize', layout='kinect20', center='frame'),
        dict(type='PackActionInputs', meta_keys=('frame_dir',)),
    ],
    **body,
)
train_dataloader = dict(dataset=dict(split='xview_train', **dataset))
val_dataloader = dict(dataset=dict(split='xview_val', **dataset))
test_dataloader = val_dataloader
val_cfg = dict(bank=dict(split='xview_train'))
test_cfg = val_cfg
