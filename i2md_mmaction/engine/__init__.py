"""Hooks, loops and optimiser wrappers for MMEngine's runner."""

from .checkpoints import AtomicCheckpointHook, PortableCheckpointHook
from .hooks import (
    DeferredRuntimeInfoHook,
    DivergedError,
    JoinedLabelsHook,
    MoCoMemoryHook,
    MomentumScheduleHook,
    PretrainStageHook,
    StepSeedHook,
    SubsetRecordHook,
)
from .loops import EmbeddingLoop, KNNLoop
from .optim import BFloat16OptimWrapper

__all__ = [
    'AtomicCheckpointHook',
    'BFloat16OptimWrapper',
    'DeferredRuntimeInfoHook',
    'DivergedError',
    'EmbeddingLoop',
    'JoinedLabelsHook',
    'KNNLoop',
    'MoCoMemoryHook',
    'MomentumScheduleHook',
    'PortableCheckpointHook',
    'PretrainStageHook',
    'StepSeedHook',
    'SubsetRecordHook',
]
