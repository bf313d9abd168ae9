# Transfer: fine-tuning on another data set of the same joints, that of the target's pre-training
# config; the checkpoint comes from elsewhere, such as cmd_ntu60 for cmd_pku2_xsub.
_base_ = './finetune.py'

param_scheduler = [dict(type='MultiStepLR', milestones=[50], gamma=0.1)]
