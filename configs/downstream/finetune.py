# Fine-tuning: everything trains, at a tenth of the linear evaluation's rate.
_base_ = './linear.py'

model = dict(freeze=False)
optim_wrapper = dict(optimizer=dict(lr=0.01))
