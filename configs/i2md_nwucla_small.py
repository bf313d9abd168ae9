# I2MD on Northwestern-UCLA, for a CPU.
_base_ = ['_base_/datasets/nw_ucla_xview.py', '_base_/methods/i2md_small.py']

model = _base_.small
