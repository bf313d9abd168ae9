_base_ = '../../../../configs/_base_/methods/aimclr_small.py'

# Mining from half-way, as in the paper.
default_hooks = dict(stages=dict(stages=[dict(begin=0, mining=False), dict(begin=0.5, mining=True)]))
