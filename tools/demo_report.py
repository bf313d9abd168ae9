"""Reports a pre-training run: 1-NN accuracy beside its floors, and two pictures."""

import argparse
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import init_default_scope
from rich.console import Console
from rich.table import Table

from i2md_mmaction.datasets import check_labels
from i2md_mmaction.evaluation import concatenate_streams, knn_accuracy
from i2md_mmaction.evaluation.history import read_knn_curves
from i2md_mmaction.evaluation.inference import build_dataloader, dataloaders, embed_split, load_model
from i2md_mmaction.evaluation.plots import plot_knn_curve, plot_tsne
from i2md_mmaction.protocols.pictures import classes_of


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config of the run')
    parser.add_argument('checkpoint', type=Path, help='checkpoint of the run')
    parser.add_argument('--work-dir', type=Path, help='folder of its logs; that of the checkpoint by default')
    parser.add_argument('--out', type=Path, help='folder of the pictures; the work dir by default')
    return parser.parse_args(argv)


def main(argv=None) -> None:
    args = parse_args(argv)
    console = Console()
    config = Config.fromfile(args.config)
    work_dir = args.work_dir or args.checkpoint.parent
    out = args.out or work_dir
    out.mkdir(parents=True, exist_ok=True)
    init_default_scope(config.get('default_scope', 'mmaction'))
    settings = dataloaders(config)
    loaders = {part: build_dataloader(loader) for part, loader in settings.items()}
    for loader in loaders.values():
        check_labels(loader.dataset)
    splits = {part: loader['dataset'].get('split') or part for part, loader in settings.items()}

    rows, embedded = {}, {}
    for name, checkpoint in (('random encoder', None), ('pre-trained', args.checkpoint)):
        model = load_model(config, checkpoint)
        embedded = {
            part: embed_split(model, loader, with_joints=True, progress=f'{name}, {splits[part]}')
            for part, loader in loaders.items()
        }
        (query, labels), (bank, bank_labels) = embedded['query'], embedded['bank']
        streams = [stream for stream in query if stream != 'raw']
        rows[name] = knn_accuracy(query, labels, bank, bank_labels, streams=streams)
        raw = knn_accuracy(query, labels, bank, bank_labels, streams=['raw'])['top1']

    table = Table(title=f'1-NN accuracy (%), {splits["query"]} against {splits["bank"]}')
    columns = [*(f'top1_{stream}' for stream in streams), 'top1']
    for column in ('', *streams, 'all streams'):
        table.add_column(column)
    table.add_row('raw joints', *[''] * len(streams), f'{raw:.1f}')
    for name, accuracies in rows.items():
        table.add_row(name, *(f'{accuracies[column]:.1f}' for column in columns))
    console.print(table)

    names = classes_of(settings['query']['dataset'])
    query, labels = embedded['query']
    features = concatenate_streams({stream: query[stream] for stream in streams})
    title = f'{config.model.type}: embeddings of {splits["query"]}, t-SNE'
    floors = {'raw joints': raw, 'random encoder': rows['random encoder']['top1']}
    pictures = (
        plot_tsne(features.numpy(), labels.numpy(), out / 'tsne.png', names, title),
        plot_knn_curve(read_knn_curves(work_dir), out / 'knn_curve.png', floors),
    )
    for made in (*pictures, args.checkpoint):
        console.print(f'made {made}', soft_wrap=True)


if __name__ == '__main__':
    main()
