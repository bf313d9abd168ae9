"""A run of a config through MMEngine's runner on this process's share of the data; run under torchrun (gloo).

distributed_run.py CONFIG EPOCHS
"""

import json
import sys
from pathlib import Path

from mmengine.config import Config
from mmengine.dist import get_rank
from mmengine.runner import Runner
from torch import distributed

import i2md_mmaction  # noqa: F401


def main(config, epochs):
    distributed.init_process_group('gloo')
    config = Config.fromfile(config)
    config.train_cfg.max_epochs = int(epochs)
    runner = Runner.from_cfg(config)
    runner.train()
    weights = {name: value.double().sum().item() for name, value in runner.model.module.state_dict().items()}
    Path(config.work_dir, f'rank{get_rank()}.json').write_text(json.dumps(weights))
    print(f'rank {get_rank()}: epoch {runner.epoch}, bank {int(runner.model.module.bank.filled)}')


if __name__ == '__main__':
    main(*sys.argv[1:])
