_base_ = ['_base_/datasets/pku2_xsub.py', '_base_/methods/mcl.py']

# PKU-MMD II is small: more epochs (I2MD, section 4.2).
train_cfg = dict(max_epochs=1000)
param_scheduler = [dict(type='MultiStepLR', milestones=[800], gamma=0.1)]
