_base_ = '../../../../configs/downstream/semi_10.py'

# Only what is reached after the last epoch counts, which is measured once training has ended.
train_cfg = dict(val_interval=1000)
default_hooks = dict(checkpoint=dict(save_best=None))
