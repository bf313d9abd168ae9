"""A training step, ours and the plain one, cut into phases."""

from contextlib import ExitStack, contextmanager
from copy import deepcopy
from itertools import chain
from typing import Callable, Dict, Iterable, Iterator, Optional, Tuple
from unittest.mock import patch

import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import OPTIMIZERS
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from i2md_mmaction.evaluation.inference import initialise
from i2md_mmaction.models import MomentumContrast

from .measure import Stopwatch, peak_bytes
from .plain import PlainMethod

Views = Tuple[Tensor, ...]


class MethodStep:
    """A step of a config as the runner takes it.

    Args:
        model: Recognizer.
        optimizer: Config of the optimiser.
        amp: Whether to run under bfloat16 autocast.
    """

    def __init__(self, model: MomentumContrast, optimizer: dict, amp: bool = False) -> None:
        self.model = model
        self.device = next(model.parameters()).device
        self.optimizer = OPTIMIZERS.build(dict(optimizer, params=model.parameters()))
        self.amp = amp

    def forward(self, views: Views) -> Dict[str, Tensor]:
        """The losses of a step by name."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.amp):
            return self.model(views, mode='loss')

    def update_memory(self) -> None:
        """Momentum and bank."""
        self.model.update_encoders()
        self.model.enqueue_keys()

    def networks(self) -> Iterable[Tuple[nn.Module, str]]:
        """Modules whose time is that of the forward pass, and their methods."""
        for stream in self.model.streams.values():
            for encoder in (stream.query, stream.key):
                yield from ((encoder, 'forward'), (encoder, 'extract'), (encoder.projector, 'forward'))
                for method in ('forward', 'tokenize', 'attend', 'tokens'):
                    if hasattr(encoder.backbone, method):
                        yield encoder.backbone, method


class PlainStep:
    """The same step in the manner of research code.

    Args:
        model: Recognizer, of which weights are copied.
        optimizer: Config of the optimiser.
    """

    def __init__(self, model: MomentumContrast, optimizer: dict) -> None:
        self.plain = PlainMethod(model)
        self.device = next(model.parameters()).device
        settings = {name: value for name, value in optimizer.items() if name not in ('fused', 'foreach')}
        self.optimizer = OPTIMIZERS.build(dict(settings, foreach=False, params=self.plain.parameters()))

    def forward(self, views: Views) -> Dict[str, Tensor]:
        """The losses of a step by name, each also read as research code logs it."""
        losses = self.plain.losses(*views)
        for loss in losses.values():
            loss.item()
        return losses

    def update_memory(self) -> None:
        """Momentum and queue."""
        self.plain.update_memory()

    def networks(self) -> Iterable[Tuple[nn.Module, str]]:
        """Modules whose time is that of the forward pass, and their methods."""
        for encoder in chain(self.plain.query.values(), self.plain.key.values()):
            yield from ((encoder, 'forward'), (encoder, 'attend'))
            yield from ((encoder.backbone, 'forward'), (encoder.project, 'forward'))


def total(losses: Dict[str, Tensor]) -> Tensor:
    """Sum of all losses, as the runner takes it."""
    return sum(value for name, value in losses.items() if 'loss' in name)


def run_step(step, views: Views, watch: Stopwatch) -> None:
    """Takes a step, timed in phases."""
    with watch.phase('forward and losses'):
        losses = step.forward(views)
    with watch.phase('backward'):
        total(losses).backward()
    with watch.phase('optimiser and memory'):
        step.optimizer.step()
        step.optimizer.zero_grad()
        step.update_memory()


@contextmanager
def split_forward(step, watch: Stopwatch) -> Iterator[None]:
    """Times the networks within the losses as a phase ``forward`` of their own."""

    def timed(function):
        def wrapper(*args, **kwargs):
            with watch.phase('forward'):
                return function(*args, **kwargs)

        return wrapper

    with ExitStack() as stack:
        for module, method in step.networks():
            stack.enter_context(patch.object(module, method, timed(getattr(module, method))))
        yield


def time_steps(step, views: Views, repeats: int, split: bool = True, warm_up: int = 2) -> Dict[str, float]:
    """Seconds of a step and of its phases.

    The step as a whole is timed without waiting for the device between its
    phases; the phases in other repeats.

    Args:
        step: :class:`MethodStep` or :class:`PlainStep`.
        views: Views of a batch.
        repeats: Counted steps.
        split: Whether to tell the networks from the losses on them, which
            cannot be done with what is compiled.
        warm_up: Steps before, not counted.

    Returns:
        Medians in seconds.
    """
    idle, whole, phases = (Stopwatch(step.device) for _ in range(3))
    for _ in range(warm_up):
        run_step(step, views, idle)
    silent = Stopwatch('cpu')
    for _ in range(repeats):
        with whole.phase('step'):
            run_step(step, views, silent)
        whole.lap()
    with split_forward(step, phases) if split else ExitStack():
        for _ in range(repeats):
            run_step(step, views, phases)
            phases.lap()
    seconds = {**phases.medians(), **whole.medians()}
    if split:
        seconds['losses'] = seconds.pop('forward and losses') - seconds['forward']
    order = ('forward', 'losses', 'forward and losses', 'backward', 'optimiser and memory', 'step')
    return {name: seconds[name] for name in order if name in seconds}


def count_flops(model: MomentumContrast, frames: int = 100, samples: int = 2) -> float:
    """FLOPs of a sample's step, counted on the CPU, where every product is seen."""
    model = deepcopy(model).cpu()
    views = model.data_preprocessor(synthetic_batch(model, samples, frames), training=True)['inputs']
    with FlopCounterMode(display=False) as counter:
        total(model.loss(views)).backward()
    return counter.get_total_flops() / samples


def step_memory(build: Callable, views: Views) -> int:
    """Peak bytes of a step: weights, gradients, state of the optimiser, views and activations.

    Args:
        build: Makes the step, its model included.
        views: Views of a batch.
    """

    def call() -> None:
        step, batch = build(), tuple(view.clone() for view in views)
        for _ in range(2):
            run_step(step, batch, Stopwatch('cpu'))

    return peak_bytes(call, views[0].device)


def traced_memory(model: MomentumContrast, optimizer: dict, samples: int, amp: bool) -> int:
    """Peak bytes that a step would take, found from shapes alone, without a device or any arithmetic.

    Scratch memory inside kernels and what an allocator holds back come on top.

    Args:
        model: Recognizer on the CPU; unusable afterwards.
        optimizer: Config of the optimiser.
        samples: Samples of the batch.
        amp: Whether to run under bfloat16 autocast.
    """
    views = model.data_preprocessor(synthetic_batch(model, 2), training=True)['inputs']
    shapes = FakeTensorMode(allow_non_fake_inputs=True)
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            fake = nn.Parameter(shapes.from_tensor(parameter.detach()), parameter.requires_grad)
            module.register_parameter(name, fake)
        for name, value in list(module.named_buffers(recurse=False)):
            module._buffers[name] = shapes.from_tensor(value)
    with shapes:
        views = tuple(torch.zeros(samples, *view.shape[1:]) for view in views)
        step = MethodStep(model, {**optimizer, 'fused': False}, amp)
        standing = sum(value.nbytes for value in chain(model.parameters(), model.buffers(), views))
        silent = Stopwatch('cpu')
        return standing + peak_bytes(lambda: [run_step(step, views, silent) for _ in range(2)], 'cpu')


def synthetic_batch(model: MomentumContrast, samples: int, frames: int = 100) -> Dict[str, list]:
    """Random sequences that fit a recognizer, as a dataloader gives them."""
    views = model.data_preprocessor
    shape = (views.num_persons, frames, views.num_joints, views.num_coordinates)
    return dict(inputs=[torch.randn(shape) for _ in range(samples)])


def full_bank_model(config: Config, device: Optional[str] = None) -> MomentumContrast:
    """The recognizer of a config with seeded weights and a full bank, ready to train."""
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    initialise(model)
    # As after the first epochs: neighbours are found in all rows.
    model.bank.filled.fill_(model.bank.size)
    return model.to(device).train()
