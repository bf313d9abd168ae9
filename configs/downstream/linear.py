# Linear evaluation of CMD and I2MD: a frozen encoder in eval mode, SGD without weight decay.
#   I2MD_CONFIG=i2md_ntu60 mim train mmaction2 configs/downstream/linear.py --gpus 1 \
#       --cfg-options model.pretrained.checkpoint=FILE model.modality=joint
_base_ = '../_base_/downstream/classifier.py'

work_dir = './work_dirs/linear_' + '{{$I2MD_CONFIG:cmd_ntu60}}'.rsplit('/', 1)[-1]
model = dict(freeze=True)
optim_wrapper = dict(
    _delete_=True,
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=0),
)
