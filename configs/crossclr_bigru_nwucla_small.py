# CrosSCLR-B on Northwestern-UCLA, for a CPU.
_base_ = ['_base_/datasets/nw_ucla_xview.py', '_base_/methods/crossclr_bigru_small.py']

model = _base_.small
