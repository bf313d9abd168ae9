# CrosSCLR-B on UTD-MHAD, for a CPU.
_base_ = ['_base_/datasets/utd_mhad_xsub.py', '_base_/methods/crossclr_bigru_small.py']

model = _base_.small
