"""Reports a pre-training run: 1-NN accuracy beside its floors, and two pictures."""

import argparse
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import init_default_scope
from rich.console import Console
from rich.table import Table

from i2md_mmaction.evaluation import concatenate_streams, knn_accuracy
from i2md_mmaction.evaluation.floors import knn_floors, write_floors
from i2md_mmaction.evaluation.inference import build_dataloader, dataloaders, embed_split, load_model
from i2md_mmaction.evaluation.plots import plot_tsne
from i2md_mmaction.evaluation.run_page import plot_run
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
    splits = {part: loader['dataset'].get('split') or part for part, loader in settings.items()}

    floors = knn_floors(config, loaders)
    write_floors(work_dir, floors)
    model = load_model(config, args.checkpoint)
    (query, labels), (bank, bank_labels) = (
        embed_split(model, loaders[part], progress=f'pre-trained, {splits[part]}')
        for part in ('query', 'bank')
    )
    streams = list(query)
    rows = {**floors, 'pre-trained': knn_accuracy(query, labels, bank, bank_labels)}

    title = f'1-NN accuracy (%) of {args.checkpoint.name}, {splits["query"]} against {splits["bank"]}'
    table = Table(title=title)
    columns = [*(f'top1_{stream}' for stream in streams), 'top1']
    for column in ('', *streams, 'all streams'):
        table.add_column(column)
    for name, accuracies in rows.items():
        cells = (f'{accuracies[column]:.1f}' if column in accuracies else '' for column in columns)
        table.add_row(name, *cells)
    console.print(table)

    names = classes_of(settings['query']['dataset'])
    features = concatenate_streams(query)
    title = f'{config.model.type}: embeddings of {splits["query"]}, t-SNE'
    pictures = (
        plot_tsne(features.numpy(), labels.numpy(), out / 'tsne.png', names, title),
        plot_run(work_dir, out / 'run.png', f'{config.model.type}: {work_dir.resolve().name}'),
    )
    for made in (*pictures, args.checkpoint):
        console.print(f'made {made}', soft_wrap=True)


if __name__ == '__main__':
    main()
