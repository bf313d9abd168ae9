"""Hooks, loops and optimiser wrappers for MMEngine's runner."""

from .checkpoints import AtomicCheckpointHook, PortableCheckpointHook
from .downstream import downstream_config
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
from .loops import KNNLoop
from .optim import BFloat16OptimWrapper
from .protocols import Evaluation, Unit

__all__ = [
    'AtomicCheckpointHook',
    'BFloat16OptimWrapper',
    'DeferredRuntimeInfoHook',
    'DivergedError',
    'Evaluation',
    'JoinedLabelsHook',
    'KNNLoop',
    'MoCoMemoryHook',
    'MomentumScheduleHook',
    'PortableCheckpointHook',
    'PretrainStageHook',
    'StepSeedHook',
    'SubsetRecordHook',
    'Unit',
    'downstream_config',
]
