# AimCLR on Northwestern-UCLA, joint stream; aimclr_nwucla_small.py is for a CPU.
# The axes are aligned as for CMD here, since the split is by camera.
_base_ = ['_base_/datasets/nw_ucla_xview.py', '_base_/methods/aimclr.py']

model = dict(bank=dict(size=1024), **_base_.skeleton)
