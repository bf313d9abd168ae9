# CMD in two stages: the baseline first, distillation from epoch 150 on.
_base_ = './cmd_ntu60.py'

default_hooks = dict(
    stages=dict(
        type='PretrainStageHook', stages=[dict(begin=0, cmd_weight=0.0), dict(begin=150, cmd_weight=1.0)]
    )
)
