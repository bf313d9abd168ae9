"""A run through MMEngine's runner on this process's share of the data; run under torchrun (gloo).

distributed_run.py WORK_DIR ANNOTATIONS EPOCHS
"""

import sys
from pathlib import Path

import mmengine
from mmengine.config import Config
from mmengine.dist import get_rank
from mmengine.runner import Runner
from torch import distributed

import i2md_mmaction  # noqa: F401


def main(work_dir, annotations, epochs):
    distributed.init_process_group('gloo')
    config = Config.fromfile(Path(__file__).parents[2] / 'configs/cmd_demo.py')
    dataset = dict(ann_file=annotations, split='train', num_classes=None)
    loader = dict(batch_size=2, num_workers=0, persistent_workers=False, pin_memory=False, dataset=dataset)
    config.merge_from_dict(
        dict(
            train_dataloader=loader,
            val_dataloader=loader,
            val_cfg=dict(bank=dict(split='train')),
            model=dict(backbone=dict(hidden_channels=4, num_layers=1), bank=dict(size=20)),
            train_cfg=dict(max_epochs=int(epochs), val_interval=1),
            default_hooks=dict(checkpoint=dict(interval=1, max_keep_ckpts=1), logger=dict(interval=1)),
            optim_wrapper=dict(accumulative_counts=2),
            model_wrapper_cfg=dict(type='MMDistributedDataParallel', device_ids=None),
            sync_bn=None,  # torch has it on GPUs only
            launcher='pytorch',
            work_dir=work_dir,
            resume=True,
            vis_backends=[dict(type='LocalVisBackend')],
            visualizer=dict(vis_backends=[dict(type='LocalVisBackend')]),
        )
    )
    config.model.distillation.topk = 8
    config.test_dataloader = config.test_cfg = config.test_evaluator = None
    runner = Runner.from_cfg(config)
    runner.train()
    weights = {name: value.double().sum().item() for name, value in runner.model.module.state_dict().items()}
    Path(work_dir, f'rank{get_rank()}.json').write_text(mmengine.dump(weights, file_format='json'))
    print(f'rank {get_rank()}: epoch {runner.epoch}, bank {int(runner.model.module.bank.filled)}')


if __name__ == '__main__':
    main(*sys.argv[1:])
