"""Runs of configs through MMEngine's runner, one after the other, with all that they did written down.

distributed_hooks.py FOLDER NAME...; for each FOLDER/NAME.py every process writes FOLDER/NAME.RANK. Run
under torchrun (gloo).
"""

import shutil
import sys
from pathlib import Path

import torch
from mmaction.registry import METRICS
from mmengine.config import Config
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.model import MMDistributedDataParallel
from mmengine.registry import MODEL_WRAPPERS
from mmengine.runner import Runner, runner
from torch import distributed

from i2md_mmaction.engine import checkpoints
from i2md_mmaction.evaluation.metrics import KNNAccuracy


class Record(Hook):
    """Writes down what each step was given, and which views it would make of one and the same sample."""

    priority = 'LOWEST'

    def __init__(self):
        self.steps = []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        model = runner.model.module
        sample = torch.linspace(-1, 1, 2 * 40 * 25 * 3).view(2, 40, 25, 3)
        with torch.random.fork_rng():
            views = model.data_preprocessor(dict(inputs=[sample]), training=True)['inputs']
        self.steps.append(
            dict(
                samples=[sample.frame_dir for sample in data_batch['data_samples']],
                views=torch.stack(views),
                momentum=model.momentum,
                stage={name: vars(model)[name] for name in ('cmd_weight', 'mining') if name in vars(model)},
            )
        )


@METRICS.register_module(force=True)
class RecordedKNN(KNNAccuracy):
    """The metric, which keeps the labels of the queries and of the bank that it compared."""

    compared = []

    def compute_metrics(self, results):
        self.compared.append([[label for _, label in rows] for rows in (results, self.bank)])
        return super().compute_metrics(results)


@MODEL_WRAPPERS.register_module(force=True)
class RecordedWrapper(MMDistributedDataParallel):
    """MMEngine's wrapper, which keeps the model that it was given."""

    wrapped = None

    def __init__(self, module, **kwargs):
        type(self).wrapped = module
        super().__init__(module, **kwargs)


def norms(model):
    """Where a model has which BatchNorm."""
    found = {name: type(module).__name__ for name, module in model.named_modules()}
    return {name: kind for name, kind in found.items() if 'BatchNorm' in kind}


def train(config):
    """A run, and all that is to be known of it."""
    written, record, write = [], Record(), checkpoints.write_file
    RecordedKNN.compared.clear()

    def recorded(path, content):
        written.append(Path(path).name)
        write(path, content)

    checkpoints.write_file = recorded
    run = Runner.from_cfg(config)
    run.register_hook(record)
    run.train()
    checkpoints.write_file = write
    history = run.message_hub.log_scalars
    return dict(
        steps=record.steps,
        written=written,
        weights=run.model.module.state_dict(),
        optimizer=run.optim_wrapper.state_dict()['state'],
        norms=norms(run.model.module),
        compared=list(RecordedKNN.compared),
        metrics={name: float(log.current()) for name, log in history.items() if name.startswith('val/knn')},
    )


def with_torchs_norm(config):
    """What torch's own SyncBatchNorm can do without a GPU: it is converted to, and evaluates."""
    refusals, view = [], torch.linspace(-1, 1, 2 * 2 * 32 * 25 * 3).view(2, 2, 32, 25, 3)
    try:
        Runner.from_cfg(config)
    except ValueError as error:
        refusals.append(str(error))
    model = RecordedWrapper.wrapped
    try:
        model.train()(view)
    except ValueError as error:
        refusals.append(str(error))
    weights = torch.load(config.load_from, weights_only=True)['state_dict']
    model.load_state_dict(weights)
    with torch.no_grad():
        features = model.eval()(view)
    return dict(norms=norms(model), refusals=refusals, features=features, view=view)


def main(folder, names):
    from distributed_norm import stand_in

    torch.set_num_threads(1)
    runner.collect_env = dict  # which asks compilers and drivers for a second
    distributed.init_process_group('gloo')
    for name in names:
        if name == 'resumed' and get_rank() == 0:  # from where another run was in between
            Path(folder, name).mkdir()
            shutil.copy(Path(folder, 'whole', 'epoch_1.pth'), Path(folder, name))
        distributed.barrier()
        with stand_in(name != 'torchs_norm'):
            config = Config.fromfile(Path(folder, f'{name}.py'))
            done = (with_torchs_norm if name == 'torchs_norm' else train)(config)
        torch.save(done, Path(folder, f'{name}.{get_rank()}'))


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2:])
