_base_ = './i2md.py'

model = dict(cmd_weight=0.0)
