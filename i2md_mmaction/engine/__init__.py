"""Hooks, loops and optimiser wrappers for MMEngine's runner."""

from .hooks import (
    MoCoMemoryHook,
    PortableCheckpointHook,
    PretrainStageHook,
    StepSeedHook,
    SubsetRecordHook,
)
from .loops import KNNLoop
from .optim import BFloat16OptimWrapper, TrainableOptimWrapperConstructor

__all__ = [
    'BFloat16OptimWrapper',
    'KNNLoop',
    'MoCoMemoryHook',
    'PortableCheckpointHook',
    'PretrainStageHook',
    'StepSeedHook',
    'SubsetRecordHook',
    'TrainableOptimWrapperConstructor',
]
