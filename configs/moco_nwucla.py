# MoCo at full size on Northwestern-UCLA, for a GPU; moco_nwucla_small.py is for a CPU.
_base_ = ['_base_/datasets/nw_ucla_xview.py', '_base_/methods/moco.py']

model = _base_.fitted
