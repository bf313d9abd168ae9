# Fine-tuning: everything trains, at a tenth of the linear evaluation's rate.
_base_ = './linear.py'

work_dir = './work_dirs/finetune_' + '{{$I2MD_CONFIG:cmd_ntu60}}'.rsplit('/', 1)[-1]
model = dict(freeze=False)
optim_wrapper = dict(optimizer=dict(lr=0.01))
