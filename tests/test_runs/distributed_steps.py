"""Three training steps of each method: by one process, then by each of two on its share of the batch.

distributed_steps.py FOLDER; writes FOLDER/METHOD.PROCESSES.RANK. Run under torchrun (gloo).
"""

import os
import sys
from functools import partial
from pathlib import Path

import torch
from mmengine.device import get_device
from mmengine.dist import get_rank, get_world_size
from mmengine.model import MMDistributedDataParallel, convert_sync_batchnorm
from mmengine.optim import OptimWrapper
from torch import distributed

import i2md_mmaction  # noqa: F401

from mmaction.registry import MODELS  # isort: skip

DISTILLATION = dict(type='MutualDistillationLoss', topk=8)
METHODS = dict(
    cmd=dict(
        type='CMD', backbone=dict(type='BiGRU', hidden_channels=6, num_layers=2), distillation=DISTILLATION
    ),
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
        distillation=DISTILLATION,
    ),
    aimclr=dict(
        type='AimCLR',
        backbone=dict(type='SlimSTGCN', base_channels=2, embed_dims=8, dropout=0.0),
        streams=('joint', 'bone'),
        # Drops nothing: what is kept is rescaled by the share of a process's own batch.
        drop=dict(type='EnergyDrop', keep_prob=2.0),
    ),
)


def main(method, folder):
    torch.manual_seed(0)
    model = MODELS.build(dict(METHODS[method], bank=dict(type='MemoryBank', size=20)))
    model.init_weights()
    views = torch.randn(3, 3 if method == 'aimclr' else 2, 8, 2, 10, 25, 3)
    # In float64, since rounding grows tenfold with a few BatchNorms in a row.
    model, views = model.double().to(get_device()), views.double().to(get_device())
    rank, world = get_rank(), get_world_size()
    wrapped = model
    if world > 1:
        # As MMEngine's runner does it.
        model = convert_sync_batchnorm(model, 'torch')
        wrapped = MMDistributedDataParallel(model, broadcast_buffers=False)
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    share = slice(rank * 8 // world, (rank + 1) * 8 // world)
    logged = []
    for step in views[:, :, share]:
        losses = wrapped(tuple(step), mode='loss')
        loss, _ = model.parse_losses(losses)
        optimizer.update_params(loss)
        model.update_encoders()
        model.enqueue_keys()
        logged.append(loss.detach())
    state = dict(losses=torch.stack(logged), weights=model.state_dict())
    torch.save(state, Path(folder, f'{method}.{world}.{rank}'))


if __name__ == '__main__':
    from distributed_norm import stand_in

    torch.set_num_threads(1)
    # The graph is what is tested; machine code for it would take minutes.
    torch.compile = partial(torch.compile, backend='eager')
    if os.environ['RANK'] == '0':
        for name in METHODS:
            main(name, sys.argv[1])
    distributed.init_process_group('gloo')
    with stand_in(get_device() == 'cpu'):
        for name in METHODS:
            main(name, sys.argv[1])
