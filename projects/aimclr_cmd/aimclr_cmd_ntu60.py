# Three-stream AimCLR with CMD's distillation on NTU RGB+D 60, cross-subject.
_base_ = '../../configs/aimclr_ntu60.py'

custom_imports = dict(imports=['i2md_mmaction', 'projects.aimclr_cmd.aim_cmd'])
model = dict(
    type='AimCMD',
    streams=('joint', 'motion', 'bone'),
    distillation=dict(type='MutualDistillationLoss', teacher_temperature=0.05, student_temperature=0.1),
    cmd_weight=1.0,
)
