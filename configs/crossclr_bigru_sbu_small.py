# CrosSCLR-B on SBU Kinect Interaction, for a CPU.
_base_ = ['_base_/datasets/sbu.py', '_base_/methods/crossclr_bigru_small.py']

model = _base_.small
