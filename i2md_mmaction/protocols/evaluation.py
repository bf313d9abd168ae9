"""Runs evaluation protocols on a checkpoint, one unit of work at a time, and resumes where it stopped."""

import json
import time
import traceback
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple, Union
from uuid import uuid4

from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch import Tensor
from torch.utils.data import DataLoader

from ..datasets import check_labels
from ..evaluation.inference import dataloaders, embed_split, load_model, score_split
from ..evaluation.knn import accuracies, check_neighbors, knn_predictions
from ..evaluation.linear import accuracy, linear_cached
from ..io import file_digest, write_arrays, write_file
from .configs import describe_recipe, downstream_config, recipe_of, shorten
from .identity import data_digest, identify
from .table import expand, find_protocol


@dataclass(frozen=True)
class Unit:
    """One protocol on one stream (None: all at once) with one seed."""

    protocol: str
    stream: Optional[str] = None
    run: int = 0

    @property
    def name(self) -> str:
        """Name of its files."""
        return '-'.join(filter(None, (self.protocol, self.stream, f'run{self.run}' if self.run else '')))


class Evaluation:
    """The protocols of one checkpoint, their results kept in a folder.

    A result is taken as finished only if it was reached with the same weights,
    the same resolved config and the same data.

    Args:
        config: File of the pre-training config.
        checkpoint: Pre-training checkpoint; None evaluates a random encoder,
            the floor of every protocol.
        out: Folder of the results.
        downstream: Folder of the protocols' configs.
        streams: Streams to evaluate; all of the config by default.
        k: Neighbours of k-NN, one or several numbers.
        runs: Seeds of a semi-supervised protocol; 5 in the papers.
        balance: How labelled samples are drawn, see
            :func:`~i2md_mmaction.datasets.select_subset`.
        epochs: Trains all classifiers for fewer epochs than the papers do;
            None keeps to the papers.
        seed: Seed of a random encoder, and of the first run of a classifier.
        temperature: If given, k-NN also votes by weight, see
            :func:`~i2md_mmaction.evaluation.knn_predict`.
        weights: Weight of each stream in all ensembles; those of the protocols
            by default.
        options: What is different from the config, by dotted keys.

    Raises:
        FileNotFoundError: If there is no such checkpoint.
        ValueError: If a stream is unknown, no bank is named, the weights are
            not one for each stream, or the folder holds results of another
            checkpoint or config.
    """

    def __init__(
        self,
        config: Union[str, Path],
        checkpoint: Union[str, Path, None],
        out: Union[str, Path],
        downstream: Union[str, Path],
        streams: Sequence[str] = (),
        k: Sequence[int] = (1,),
        runs: int = 5,
        balance: str = 'uniform',
        epochs: Optional[int] = None,
        seed: int = 0,
        temperature: Optional[float] = None,
        weights: Sequence[float] = (),
        options: Optional[Mapping[str, Any]] = None,
    ) -> None:
        self.config_file, self.out, self.downstream = Path(config), Path(out), Path(downstream)
        self.checkpoint = None if checkpoint is None else Path(checkpoint).resolve()
        self.config = Config.fromfile(config)
        self.config.merge_from_dict(dict(options or {}))
        self.streams = tuple(streams) or tuple(self.config.model.streams)
        unknown = sorted(set(self.streams) - set(self.config.model.streams))
        if unknown:
            raise ValueError(f'{config} has no streams {unknown}; it has {list(self.config.model.streams)}')
        self.k, self.runs, self.balance, self.epochs, self.seed = tuple(k), runs, balance, epochs, seed
        self.temperature, self.weights = temperature, self._weights(weights)
        self.dataloaders = dataloaders(self.config)
        self.digest = cache(data_digest)
        self._claim_folder()

    def _weights(self, weights: Sequence[float]) -> Optional[Dict[str, float]]:
        """Stream -> weight; None for those of the protocols."""
        if weights and (len(weights) != len(self.streams) or min(weights) < 0 or max(weights) == 0):
            raise ValueError(
                f'weights {list(weights)}: give one of at least 0 for each of {list(self.streams)}'
            )
        return dict(zip(self.streams, weights)) or None

    def _claim_folder(self) -> None:
        """Marks the folder as this checkpoint's."""
        digest = f'random {self.seed}' if self.checkpoint is None else file_digest(self.checkpoint)
        self.identity = dict(sha256=digest, config=str(self.config_file.resolve()))
        (self.out / 'results').mkdir(parents=True, exist_ok=True)
        mark = self.out / 'evaluation.json'
        if mark.exists() and json.loads(mark.read_text()) != self.identity:
            raise ValueError(f'{self.out} holds results of another checkpoint or config; give another --out')
        write_file(mark, json.dumps(self.identity, indent=1))

    def units(self, protocols: Sequence[str]) -> List[Unit]:
        """What there is to do, in order.

        Raises:
            ValueError: If a protocol is unknown, or every k exceeds the bank.
        """
        units = []
        for protocol in expand(protocols):
            if not protocol.on_features:
                self.classifier_config(protocol.name)
            if protocol.name == 'knn':
                units.append(Unit('knn'))
                continue
            runs = range(self.seed, self.seed + (self.runs if protocol.repeated else 1))
            units += [Unit(protocol.name, stream, run) for run in runs for stream in self.streams]
        if Unit('knn') in units and self.finished(Unit('knn')) is None:
            check_neighbors(min(self.k), len(self.loaders['bank'].dataset))
        return list(dict.fromkeys(units))

    def settings(self, unit: Unit) -> Dict:
        """What a result depends on beside checkpoint and config; compared on resuming."""
        if unit.protocol == 'knn':
            votes = dict(temperature=self.temperature, weights=self.weights)
            return dict(k=list(self.k), streams=list(self.streams), **votes)
        settings: Dict = dict(epochs=self.epochs)
        return dict(settings, balance=self.balance) if find_protocol(unit.protocol).repeated else settings

    def unit_identity(self, unit: Unit) -> str:
        """A digest of the checkpoint, the resolved config and the data that a result is computed from."""
        if not find_protocol(unit.protocol).on_features:
            return self._identify(self.classifier_config(unit.protocol), self.settings(unit))
        extra = {}
        if unit.protocol == 'linear_cached':
            extra['classifier'] = self.classifier_config('linear')
        return self._identify({**self._embedding, **extra}, self.settings(unit))

    def features_identity(self) -> str:
        """The same of the embeddings of all streams."""
        return self._identify(self._embedding, dict(streams=list(self.streams)))

    @property
    def _embedding(self) -> Dict:
        """The parts of the pre-training config that embeddings depend on."""
        return dict(model=self.config.model, **self.dataloaders)

    def _identify(self, config: Union[Config, Dict], settings: Dict) -> str:
        return identify(self.identity['sha256'], config, settings, self.digest)

    def classifier_config(self, protocol: str) -> Config:
        """The config of a protocol, for as many epochs as asked for."""
        return shorten(downstream_config(self.config, protocol, self.downstream), self.epochs)

    def finished(self, unit: Unit) -> Optional[Dict]:
        """The result of a unit if it was reached from the same weights, config and data."""
        path = self.out / 'results' / f'{unit.name}.json'
        result = json.loads(path.read_text()) if path.exists() else {}
        if result.get('status') != 'finished':
            return None
        return result if result.get('identity') == self.unit_identity(unit) else None

    def run(self, unit: Unit) -> Dict:
        """Runs a unit unless it is finished; a failure is a result too, and is tried again next time."""
        result = self.finished(unit)
        if result is not None:
            return result
        begin = time.time()
        result = dict(unit=unit.name, protocol=unit.protocol, stream=unit.stream, run=unit.run)
        result['settings'] = self.settings(unit)
        trace = self.out / 'results' / f'{unit.name}.traceback.txt'
        try:
            result['identity'] = self.unit_identity(unit)
            result.update(self._protocol(unit.protocol)(unit), status='finished')
            trace.unlink(missing_ok=True)
        except Exception as error:
            result.update(status='failed', error=f'{type(error).__name__}: {error}')
            write_file(trace, traceback.format_exc())
        result['seconds'] = round(time.time() - begin, 1)
        write_file(self.out / 'results' / f'{unit.name}.json', json.dumps(result, indent=1))
        return result

    def _protocol(self, name: str) -> Callable[[Unit], Dict]:
        return dict(knn=self._knn, linear_cached=self._linear_cached).get(name, self._train)

    @cached_property
    def loaders(self) -> Dict[str, DataLoader]:
        """The built dataloaders of queries and bank."""
        init_default_scope(self.config.get('default_scope', 'mmaction'))
        return {part: Runner.build_dataloader(loader) for part, loader in self.dataloaders.items()}

    @cached_property
    def features(self) -> Dict[str, Tuple[Dict[str, Tensor], Tensor]]:
        """Embeddings and labels of queries and bank, computed once, on the device."""
        for loader in self.loaders.values():
            check_labels(loader.dataset)
        device = get_device()
        model = load_model(self.config, self.checkpoint, self.seed).to(device)
        embedded = {}
        for part, loader in self.loaders.items():
            features, labels = embed_split(model, loader, progress=f'embedding the {part}')
            on_device = {name: features[name].to(device) for name in self.streams}
            embedded[part] = on_device, labels.to(device)
        del self.loaders  # and with it the frames
        return embedded

    def _knn(self, unit: Unit) -> Dict:
        """k-NN accuracies of each stream and of all together, for every k that the bank has."""
        (query, labels), bank = self.features['query'], self.features['bank']
        fitting = [k for k in self.k if k <= len(bank[1])]
        votes, kept = [(k, None) for k in fitting], {}
        if self.temperature is not None:  # of one vote the weight is all the same
            votes += [(k, self.temperature) for k in fitting if k > 1]
        rows = []
        for k, temperature in votes:
            found = knn_predictions(query, *bank, k=k, temperature=temperature, weights=self.weights)
            rows.append(dict(k=k, temperature=temperature, accuracies=accuracies(found, labels)))
            prefix = f'k{k}' if temperature is None else f'k{k}_weighted'
            kept.update({f'{prefix}_{name}': row for name, row in found.items()})
        dropped = sorted(set(self.k) - set(fitting))
        return dict(votes=rows, dropped=dropped, predictions=self._keep(unit, labels=labels, **kept))

    def _linear_cached(self, unit: Unit) -> Dict:
        """The linear protocol's recipe on features without augmentation."""
        config = self.classifier_config('linear')
        recipe = recipe_of(config)
        (bank, bank_labels), (query, labels) = self.features['bank'], self.features['query']
        rows = bank[unit.stream], bank_labels, query[unit.stream], labels
        scores, best = linear_cached(*rows, config.model.cls_head.num_classes, recipe, seed=unit.run)
        return self._classified(unit, scores, labels, best, config)

    def _train(self, unit: Unit) -> Dict:
        """Trains and scores a classifier with MMEngine's runner, resuming a broken run."""
        config = self.classifier_config(unit.protocol)
        # A run of another identity is never gone on from.
        work_dir = self.out / 'runs' / f'{unit.name}-{self.unit_identity(unit)[:8]}'
        pretrained = dict(checkpoint=str(self.checkpoint)) if self.checkpoint else None
        config.model.update(modality=unit.stream, pretrained=pretrained)
        config.merge_from_dict(
            dict(
                work_dir=str(work_dir),
                randomness=dict(seed=unit.run),
                experiment_name=f'{unit.name}_{uuid4().hex[:8]}',
                resume=True,
                default_hooks=dict(checkpoint=dict(save_last=True)),
            )
        )
        if 'subset' in config.train_dataloader.dataset:
            config.train_dataloader.dataset.subset.update(seed=unit.run, balance=self.balance)
        runner = Runner.from_cfg(config)
        runner.train()
        model = runner.model.eval()
        scores, labels = score_split(model, config.test_dataloader)
        best = 100 * runner.message_hub.get_info('best_score', accuracy(scores, labels) / 100)
        return self._classified(unit, scores, labels, best, config)

    def _classified(self, unit: Unit, scores: Tensor, labels: Tensor, best: float, config: Config) -> Dict:
        """Keeps the scores of a unit; its result is the accuracy after the last epoch and the best one."""
        scored = self._keep(unit, scores=scores, labels=labels)
        return dict(
            last=accuracy(scores, labels), best=float(best), scores=scored, recipe=describe_recipe(config)
        )

    def _keep(self, unit: Unit, **rows: Tensor) -> str:
        """Writes rows of the queries beside the result of a unit; returns the file's name."""
        path = self.out / 'results' / f'{unit.name}.npz'
        return write_arrays(path, **{name: row.cpu().numpy() for name, row in rows.items()}).name
