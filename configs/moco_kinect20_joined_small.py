# MoCo on Northwestern-UCLA, UTD-MHAD and MSR-Action3D together, for a CPU.
_base_ = ['_base_/datasets/kinect20_joined.py', '_base_/methods/moco_small.py']

model = _base_.small
