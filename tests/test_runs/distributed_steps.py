"""Three training steps of CMD on this process's share of a batch; run under torchrun or alone."""

import os
import sys

import torch
from mmengine.dist import get_rank, get_world_size
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from torch import distributed, nn

import i2md_mmaction  # noqa: F401

from mmaction.registry import MODELS  # isort: skip


def main(out):
    torch.set_num_threads(1)
    if 'WORLD_SIZE' in os.environ:
        distributed.init_process_group('gloo')
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type='CMD',
            backbone=dict(type='BiGRU', hidden_channels=6, num_layers=2),
            bank=dict(type='MemoryBank', size=20),
            distillation=dict(type='MutualDistillationLoss', topk=8),
        )
    )
    model.init_weights()
    # BatchNorm sees a process's own samples only: without it the two runs are one.
    for stream in model.streams.values():
        for encoder in (stream.query, stream.key):
            encoder.backbone.input_norm = nn.Identity()
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    wrapped = MMDistributedDataParallel(model) if get_world_size() > 1 else model
    views = torch.randn(3, 2, 8, 2, 10, 25, 3)
    share = slice(get_rank() * 8 // get_world_size(), (get_rank() + 1) * 8 // get_world_size())
    logged = []
    for query_view, key_view in views[:, :, share]:
        losses = wrapped(((query_view), (key_view)), mode='loss')
        loss, _ = model.parse_losses(losses)
        optimizer.update_params(loss)
        model.update_memory()
        logged.append(loss.detach())
    state = dict(losses=torch.stack(logged), weights=model.state_dict())
    torch.save(state, f'{out}.{get_rank()}')


if __name__ == '__main__':
    main(sys.argv[1])
