# CMD on Northwestern-UCLA, for a CPU.
_base_ = ['_base_/datasets/nw_ucla_xview.py', '_base_/methods/cmd_small.py']

model = _base_.small
