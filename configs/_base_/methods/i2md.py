# I2MD (section 4.2); learning rate for batches of 256, which the config of a dataset sets.
_base_ = ['../default_runtime.py', '../schedules/pretrain.py', '../models/i2md.py']

auto_scale_lr = dict(enable=False, base_batch_size=256)
