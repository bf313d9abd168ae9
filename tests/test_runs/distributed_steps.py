"""Three training steps of a method on this process's share of a batch; run under torchrun or alone."""

import os
import sys
from functools import partial

import torch
from mmengine.dist import get_rank, get_world_size
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from torch import distributed, nn

import i2md_mmaction  # noqa: F401

from mmaction.registry import MODELS  # isort: skip

METHODS = dict(
    cmd=dict(type='CMD', backbone=dict(type='BiGRU', hidden_channels=6, num_layers=2)),
    i2md=dict(
        type='I2MD',
        backbone=dict(
            type='GCNTransformer',
            gcn_channels=4,
            gcn_layers=1,
            embed_dims=8,
            depth=2,
            num_heads=2,
            feedforward_channels=12,
            num_frames=10,
        ),
        num_neighbors=5,
        compiled=True,
    ),
)


def without_batch_norm(module):
    """BatchNorm sees a process's own samples only: without it two processes compute what one does."""
    for name, child in module.named_children():
        if isinstance(child, nn.modules.batchnorm._BatchNorm):
            setattr(module, name, nn.Identity())
        without_batch_norm(child)


def main(method, out):
    torch.set_num_threads(1)
    if 'WORLD_SIZE' in os.environ:
        distributed.init_process_group('gloo')
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            METHODS[method],
            bank=dict(type='MemoryBank', size=20),
            distillation=dict(type='MutualDistillationLoss', topk=8),
        )
    )
    model.init_weights()
    without_batch_norm(model)
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    wrapped = MMDistributedDataParallel(model) if get_world_size() > 1 else model
    views = torch.randn(3, 2, 8, 2, 10, 25, 3)
    share = slice(get_rank() * 8 // get_world_size(), (get_rank() + 1) * 8 // get_world_size())
    logged = []
    for query_view, key_view in views[:, :, share]:
        losses = wrapped(((query_view), (key_view)), mode='loss')
        loss, _ = model.parse_losses(losses)
        optimizer.update_params(loss)
        model.update_encoders()
        model.enqueue_keys()
        logged.append(loss.detach())
    state = dict(losses=torch.stack(logged), weights=model.state_dict())
    torch.save(state, f'{out}.{get_rank()}')


if __name__ == '__main__':
    # The graph is what is tested; machine code for it would take minutes.
    torch.compile = partial(torch.compile, backend='eager')
    main(*sys.argv[1:])
