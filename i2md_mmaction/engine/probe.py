"""A linear classifier that watches pre-training."""

from typing import Any, Dict, List, Optional

import torch
from mmaction.registry import HOOKS
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from torch import Tensor, nn
from torch.nn import functional as F

from ..datasets import SkeletonDataset, check_labels, joined_datasets
from .hooks import unwrapped


@HOOKS.register_module()
class LinearProbeHook(Hook):
    """Trains a linear layer on each stream's hidden embedding beside pre-training, and says how good it is.

    The embeddings of the query encoders are detached, the layers have an
    optimiser of their own and draw no random number, and the model does not
    hold them: pre-training goes on bit for bit as without, and its checkpoints
    load as ever. They are those that the step has computed, so that the probe
    costs little. It learns from augmented views while the encoder moves, and is
    a curve to watch, no evaluation; solo-learn does the same.

    Logs ``acc_probe_joint`` and so on (percent of the step's samples, before
    the layer learns from them), and after a validation that embeds its samples
    ``probe/top1_joint``, on the view of evaluation.

    Args:
        num_classes: Number of classes; by default as many as the data set has.
        lr: Learning rate, that of linear evaluation in CMD.
        momentum: Momentum, likewise.

    Raises:
        ValueError: Before training, if samples have no label, or data sets are
            joined whose labels are no one list.
        TypeError: Before training, if the model has no streams with projectors.

    Example:
        >>> from mmengine.hub import get_config
        >>> config = get_config('i2md_mmaction::cmd_demo.py')
        >>> config.merge_from_dict({'default_hooks.probe.type': 'LinearProbeHook'})
    """

    # Before what logs losses, and before what keeps the best checkpoint.
    priority = 'HIGHEST'

    def __init__(self, num_classes: Optional[int] = None, lr: float = 0.1, momentum: float = 0.9) -> None:
        self.num_classes, self.lr, self.momentum = num_classes, lr, momentum
        self.layers = nn.ModuleDict()
        self._resumed: Optional[Dict] = None
        self._seen: Dict[str, Tensor] = {}
        self._right: Dict[str, List[int]] = {}

    def before_train(self, runner) -> None:
        """Builds the layers, and watches what goes into the projectors."""
        dataset, model = runner.train_dataloader.dataset, unwrapped(runner.model)
        streams = getattr(model, 'streams', {})
        if not streams or any(stream.query.projector is None for stream in streams.values()):
            raise TypeError(f'{type(model).__name__} has no streams with projectors for LinearProbeHook')
        check_labels(dataset)
        classes = self.num_classes or _count_classes(dataset)
        device = next(model.parameters()).device
        for name, stream in streams.items():
            layer = nn.Linear(stream.query.embed_dims, classes, device='meta').to_empty(device=device)
            for parameter in layer.parameters():
                nn.init.zeros_(parameter)
            self.layers[name] = layer
            stream.query.projector.register_forward_pre_hook(self._watch(name))
        self.optimizer = torch.optim.SGD(self.layers.parameters(), self.lr, self.momentum)
        if self._resumed:
            self.layers.load_state_dict(self._resumed['layers'])
            self.optimizer.load_state_dict(self._resumed['optimizer'])

    def _watch(self, name: str):
        """Keeps the first embeddings of a step, those of its query view."""

        def keep(projector: nn.Module, inputs: tuple) -> None:
            if name not in self._seen and torch.is_grad_enabled():
                self._seen[name] = inputs[0].detach()

        return keep

    def after_train_iter(
        self, runner, batch_idx: int, data_batch=None, outputs: Optional[dict] = None
    ) -> None:
        """Takes one step on the embeddings of this one; adds the accuracies to its log."""
        seen, self._seen = self._seen, {}
        device = next(self.layers.parameters()).device
        labels = torch.tensor([int(sample.gt_label) for sample in data_batch['data_samples']], device=device)
        self.optimizer.zero_grad()
        with torch.autocast(device.type, enabled=False):
            scores = {name: self.layers[name](hidden.float()) for name, hidden in seen.items()}
            sum(F.cross_entropy(score, labels) for score in scores.values()).backward()
        for parameter in self.layers.parameters():
            all_reduce(parameter.grad, 'mean')
        self.optimizer.step()
        for name, score in scores.items():
            outputs[f'acc_probe_{name}'] = 100 * (score.argmax(dim=1) == labels).float().mean()

    def before_val_epoch(self, runner) -> None:
        """Starts counting."""
        self._right = {}

    def after_val_iter(self, runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        """Counts the samples of a validation that the layers name right."""
        for sample in outputs or ():
            embedded = sample.get('embedding')
            for name, layer in self.layers.items() if embedded else ():
                hidden = embedded[name].to(layer.weight)
                right = int(layer(hidden).argmax()) == int(sample.gt_label)
                counted = self._right.setdefault(name, [0, 0])
                counted[0] += right
                counted[1] += 1

    def after_val_epoch(self, runner, metrics: Optional[Dict[str, float]] = None) -> None:
        """Adds the accuracies to what was measured."""
        for name in self._right if metrics is not None else ():
            counted = torch.tensor(self._right[name], dtype=torch.float64)
            all_reduce(counted)
            metrics[f'probe/top1_{name}'] = 100 * float(counted[0] / counted[1])

    def before_save_checkpoint(self, runner, checkpoint: Dict[str, Any]) -> None:
        """Adds the layers, so that a resumed run goes on with them."""
        if self.layers:
            state = dict(layers=self.layers.state_dict(), optimizer=self.optimizer.state_dict())
            checkpoint['probe'] = state

    def after_load_checkpoint(self, runner, checkpoint: Dict[str, Any]) -> None:
        """Keeps the layers of a checkpoint that is resumed."""
        if runner._resume:  # weights alone are loaded for another run
            self._resumed = checkpoint.get('probe')


def _count_classes(dataset) -> int:
    """Classes of a data set, by what its config says or else by its labels."""
    counts = []
    for part in joined_datasets(dataset):
        if isinstance(part, SkeletonDataset) and part.num_classes:
            counts.append(part.label_offset + part.num_classes)
        else:
            counts.append(1 + max(part.get_data_info(number)['label'] for number in range(len(part))))
    return max(counts)
