# I2MD at full size on Northwestern-UCLA, for a GPU; i2md_nwucla_small.py is for a CPU.
_base_ = ['_base_/datasets/nw_ucla_xview.py', '_base_/methods/i2md.py']

model = dict(distillation=dict(topk=512), **_base_.fitted)
