"""Hooks, loops and optimiser wrappers for MMEngine's runner."""

from .checkpoints import AtomicCheckpointHook
from .checks import RunCheckHook
from .console import GroupedLogProcessor, RunSummaryHook, SkeletonRunner
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
from .portable_checkpoints import PortableCheckpointHook
from .probe import LinearProbeHook
from .record_hooks import ClassNamesHook, SubsetRecordHook

__all__ = [
    'AtomicCheckpointHook',
    'BFloat16OptimWrapper',
    'ClassNamesHook',
    'DeferredRuntimeInfoHook',
    'DivergedError',
    'EmbeddingLoop',
    'GroupedLogProcessor',
    'KNNLoop',
    'LinearProbeHook',
    'MoCoMemoryHook',
    'MomentumScheduleHook',
    'PortableCheckpointHook',
    'PretrainStageHook',
    'RunCheckHook',
    'RunSummaryHook',
    'SkeletonRunner',
    'SkeletonTestLoop',
    'SkeletonTrainLoop',
    'SkeletonValLoop',
    'StepSeedHook',
    'SubsetRecordHook',
]
