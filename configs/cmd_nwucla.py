# CMD at full size on Northwestern-UCLA, for a GPU; cmd_nwucla_small.py is for a CPU.
_base_ = ['_base_/datasets/nw_ucla_xview.py', '_base_/methods/cmd.py']

model = dict(distillation=dict(topk=512), **_base_.fitted)
