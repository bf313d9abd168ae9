# Transfer: fine-tuning on another dataset of the same joints. $I2MD_CONFIG names the target;
# the checkpoint comes from elsewhere, such as cmd_ntu60 or cmd_ntu120_xsub.
#   I2MD_CONFIG=cmd_pku2_xsub mim train mmaction2 configs/downstream/transfer.py --gpus 1 \
#       --cfg-options model.pretrained.checkpoint=work_dirs/cmd_ntu60/epoch_450.pth
_base_ = './finetune.py'

work_dir = './work_dirs/transfer_' + '{{$I2MD_CONFIG:cmd_ntu60}}'.rsplit('/', 1)[-1]
param_scheduler = [dict(type='MultiStepLR', milestones=[50], gamma=0.1)]
