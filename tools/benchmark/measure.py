"""Time, memory and the peak rate of a device."""

import weakref
from collections import defaultdict
from contextlib import contextmanager
from statistics import median
from time import perf_counter
from typing import Callable, Dict, Iterator, List, Union

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Stopwatch:
    """Seconds of named phases, lap by lap, waiting for the device at their ends.

    A phase may come several times in a lap; one within itself counts once.

    Args:
        device: Device to wait for.
    """

    def __init__(self, device: Union[torch.device, str]) -> None:
        self.device = torch.device(device)
        self.laps: Dict[str, List[float]] = defaultdict(list)
        self._lap: Dict[str, float] = defaultdict(float)
        self._running: set = set()

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Times what runs inside."""
        if name in self._running:
            yield
            return
        self._running.add(name)
        self._wait()
        start = perf_counter()
        yield
        self._wait()
        self._lap[name] += perf_counter() - start
        self._running.remove(name)

    def lap(self) -> None:
        """Ends a lap."""
        for name, seconds in self._lap.items():
            self.laps[name].append(seconds)
        self._lap.clear()

    def _wait(self) -> None:
        if self.device.type != 'cpu':
            torch.get_device_module(self.device).synchronize()

    def medians(self) -> Dict[str, float]:
        """Median of each phase over the laps, in seconds."""
        return {name: median(seconds) for name, seconds in self.laps.items()}


def matmul_peak(device: Union[torch.device, str], dtype: torch.dtype) -> float:
    """Measured rate of a large matrix product, in FLOP/s."""
    size = 2048 if torch.device(device).type == 'cpu' else 8192
    left, right = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    watch = Stopwatch(device)
    for _ in range(8):
        with watch.phase('product'):
            left @ right
        watch.lap()
    return 2 * size**3 / min(watch.laps['product'])


class _TensorBytes(TorchDispatchMode):
    """Follows the bytes of all tensors that are made under it."""

    def __init__(self) -> None:
        super().__init__()
        self.held, self.peak = 0, 0
        self._known: Dict[int, weakref.ref] = {}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        results = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(results):
            if isinstance(tensor, torch.Tensor):
                self._follow(tensor.untyped_storage())
        return results

    def _follow(self, storage: torch.UntypedStorage) -> None:
        key, size = id(storage), storage.nbytes()
        if key in self._known and self._known[key]() is storage:
            return
        self.held += size
        self.peak = max(self.peak, self.held)

        def forget(_) -> None:
            self.held -= size

        self._known[key] = weakref.ref(storage, forget)


def peak_bytes(call: Callable[[], None], device: torch.device) -> int:
    """Peak bytes of what a call makes, beyond what stood before it.

    On an accelerator its allocator knows. On a CPU, whose allocator says
    nothing, the bytes of all tensors alive at once are counted; scratch memory
    inside kernels is left out.

    Args:
        call: What to run.
        device: Where it runs.
    """
    device = torch.device(device)
    if device.type == 'cpu':
        with _TensorBytes() as counted:
            call()
        return counted.peak
    memory = torch.get_device_module(device)
    memory.reset_peak_memory_stats()
    before = memory.memory_allocated()
    call()
    return memory.max_memory_allocated() - before
