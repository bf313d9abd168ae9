_base_ = '../../../../configs/_base_/methods/aimclr_small.py'

# Mining in the last fifth, see README.md; in the paper, from half-way.
default_hooks = dict(stages=dict(stages=[dict(begin=0, mining=False), dict(begin=0.8, mining=True)]))
