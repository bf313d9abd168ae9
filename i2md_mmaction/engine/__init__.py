"""Hooks, loops and optimiser wrappers for MMEngine's runner."""

from .downstream import downstream_config
from .hooks import (
    DeferredRuntimeInfoHook,
    MoCoMemoryHook,
    PortableCheckpointHook,
    PretrainStageHook,
    StepSeedHook,
    SubsetRecordHook,
)
from .loops import KNNLoop
from .optim import BFloat16OptimWrapper, TrainableOptimWrapperConstructor
from .protocols import Evaluation, Unit

__all__ = [
    'BFloat16OptimWrapper',
    'DeferredRuntimeInfoHook',
    'Evaluation',
    'KNNLoop',
    'MoCoMemoryHook',
    'PortableCheckpointHook',
    'PretrainStageHook',
    'StepSeedHook',
    'SubsetRecordHook',
    'TrainableOptimWrapperConstructor',
    'Unit',
    'downstream_config',
]
