"""CMD without MMEngine's runner: streams, a memory bank and losses in a loop of plain PyTorch.

python projects/mix_and_match/plain_torch.py data/demo/ntu25_demo.pkl --split xsub_train
"""

import argparse
from itertools import permutations

import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from torch import nn
from torch.utils.data import DataLoader

from i2md_mmaction.datasets import SkeletonDataset
from i2md_mmaction.models import (
    InfoNCELoss,
    MemoryBank,
    MomentumStream,
    MutualDistillationLoss,
    Similarity,
    SkeletonViewPreprocessor,
    entry_name,
)

STREAMS = ('joint', 'motion', 'bone')


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('file', help='annotation file of the layout ntu25')
    parser.add_argument('--split', help='split to pre-train on')
    parser.add_argument('--epochs', type=int, default=10)
    parser.add_argument('--batch-size', type=int, default=32)
    parser.add_argument('--out', help='file for the weights')
    args = parser.parse_args(argv)
    torch.manual_seed(0)
    init_default_scope('mmaction')  # where names such as 'Shear' are looked up

    pipeline = [dict(type='SkeletonPreNormalize'), dict(type='PackActionInputs')]
    dataset = SkeletonDataset(args.file, pipeline=pipeline, split=args.split)
    loader = DataLoader(dataset, args.batch_size, shuffle=True, drop_last=True, collate_fn=pseudo_collate)
    view = [dict(type='TemporalCropResize', num_frames=64), dict(type='Shear', amplitude=0.5)]
    preprocessor = SkeletonViewPreprocessor(train_views=[view, view])
    encoder = dict(
        type='SkeletonEncoder',
        backbone=dict(type='BiGRU', hidden_channels=64, num_layers=2),
        projector=dict(type='ProjectionHead'),
    )
    streams = nn.ModuleDict({name: MomentumStream(dict(encoder, modality=name)) for name in STREAMS})
    bank = MemoryBank(size=256, dims={entry_name(name, 'key'): 128 for name in STREAMS})
    contrast, distillation = InfoNCELoss(), MutualDistillationLoss(topk=64)
    optimizer = torch.optim.AdamW([p for p in streams.parameters() if p.requires_grad], lr=1e-3)

    for epoch in range(args.epochs):
        total = 0.0
        for batch in loader:
            query_view, key_view = preprocessor(batch, training=True)['inputs']
            keys = {name: stream.embed_key(key_view).embedding for name, stream in streams.items()}
            similarities = {
                name: Similarity(stream(query_view).embedding, keys[name], bank.view(name).key)
                for name, stream in streams.items()
            }
            loss = sum(contrast(s.pos_sim, s.query_sim) for s in similarities.values())
            for teacher, student in permutations(STREAMS, 2):
                anchors = distillation.anchors(similarities[teacher].key_sim)
                loss = loss + distillation.distill(anchors, similarities[student].query_sim)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            for stream in streams.values():
                stream.update_key(momentum=0.99)
            bank.enqueue(**{entry_name(name, 'key'): key for name, key in keys.items()})
            total += loss.item()
        print(f'epoch {epoch + 1}: loss {total / len(loader):.3f}', flush=True)
    if args.out:
        torch.save(streams.state_dict(), args.out)
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
