"""What ``tools/benchmark.py`` measures with."""

from .measure import Stopwatch, matmul_peak, peak_bytes
from .step import (
    MethodStep,
    PlainStep,
    build_model,
    count_flops,
    step_memory,
    synthetic_batch,
    time_steps,
    traced_memory,
)

__all__ = [
    'MethodStep',
    'PlainStep',
    'Stopwatch',
    'build_model',
    'count_flops',
    'matmul_peak',
    'peak_bytes',
    'step_memory',
    'synthetic_batch',
    'time_steps',
    'traced_memory',
]
