# CMD (section 4.2), batches of 64.
_base_ = ['../default_runtime.py', '../schedules/pretrain.py', '../models/cmd.py']

train_cfg = dict(max_epochs=450)
param_scheduler = [dict(type='MultiStepLR', milestones=[350], gamma=0.1)]
auto_scale_lr = dict(enable=False, base_batch_size=64)
