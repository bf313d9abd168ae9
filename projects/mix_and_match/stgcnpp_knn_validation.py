# mmaction2's STGCN++ as it is, watched by the nearest neighbours of its features instead of its classifier.
_base_ = 'mmaction::skeleton/stgcnpp/stgcnpp_8xb16-joint-u100-80e_ntu60-xsub-keypoint-3d.py'

custom_imports = dict(imports=['i2md_mmaction'])
val_cfg = dict(_delete_=True, type='KNNLoop', bank=dict(split='xsub_train'))
val_evaluator = dict(_delete_=True, type='KNNAccuracy')
default_hooks = dict(checkpoint=dict(save_best='knn/top1'))
