"""Hooks, loops and optimiser wrappers for MMEngine's runner."""

from .checkpoints import AtomicCheckpointHook, PortableCheckpointHook
from .checks import RunCheckHook
from .hooks import (
    DeferredRuntimeInfoHook,
    DivergedError,
    MoCoMemoryHook,
    MomentumScheduleHook,
    PretrainStageHook,
    StepSeedHook,
)
from .loops import EmbeddingLoop, KNNLoop, SkeletonTestLoop, SkeletonTrainLoop, SkeletonValLoop
from .optim import BFloat16OptimWrapper
from .probe import LinearProbeHook
from .record_hooks import ClassNamesHook, SubsetRecordHook

__all__ = [
    'AtomicCheckpointHook',
    'BFloat16OptimWrapper',
    'ClassNamesHook',
    'DeferredRuntimeInfoHook',
    'DivergedError',
    'EmbeddingLoop',
    'KNNLoop',
    'LinearProbeHook',
    'MoCoMemoryHook',
    'MomentumScheduleHook',
    'PortableCheckpointHook',
    'PretrainStageHook',
    'RunCheckHook',
    'SkeletonTestLoop',
    'SkeletonTrainLoop',
    'SkeletonValLoop',
    'StepSeedHook',
    'SubsetRecordHook',
]
