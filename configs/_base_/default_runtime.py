# One import registers all parts of the package.
custom_imports = dict(imports=['i2md_mmaction'], allow_failed_imports=False)
default_scope = 'mmaction'
# MMEngine's, with a short console.
runner_type = 'SkeletonRunner'

default_hooks = dict(
    runtime_info=dict(type='DeferredRuntimeInfoHook'),
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50, ignore_last=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(
        type='AtomicCheckpointHook', interval=10, max_keep_ckpts=2, save_best='knn/top1', rule='greater'
    ),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    # Ours stand here by name, so that a child can change one; custom_hooks are left to who uses the config.
    checks=dict(type='RunCheckHook'),
    summary=dict(type='RunSummaryHook'),
    step_seed=dict(type='StepSeedHook'),
    memory=dict(type='MoCoMemoryHook'),
    portable_checkpoint=dict(type='PortableCheckpointHook'),
)

env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)
log_processor = dict(type='GroupedLogProcessor', window_size=50, by_epoch=True)
vis_backends = [dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')]
visualizer = dict(type='ActionVisualizer', vis_backends=vis_backends)
log_level = 'INFO'
load_from = None
resume = False
