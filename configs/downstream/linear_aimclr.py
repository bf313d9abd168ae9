# Linear evaluation of AimCLR (section 4.2): 100 epochs at 3.0, batches of 128, no augmentation.
_base_ = './linear.py'

model = dict(data_preprocessor=dict(train_views=None))
train_dataloader = dict(batch_size=128)
train_cfg = dict(max_epochs=100)
optim_wrapper = dict(optimizer=dict(lr=3.0))
param_scheduler = [dict(type='MultiStepLR', milestones=[80], gamma=0.1)]
auto_scale_lr = dict(base_batch_size=128)
