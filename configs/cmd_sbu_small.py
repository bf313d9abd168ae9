# CMD on SBU Kinect Interaction, for a CPU.
_base_ = ['_base_/datasets/sbu.py', '_base_/methods/cmd_small.py']

model = dict(distillation=dict(topk=128), **_base_.small)
