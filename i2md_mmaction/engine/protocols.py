"""Runs evaluation protocols on a checkpoint, one unit of work at a time, and resumes where it stopped."""

import hashlib
import json
import time
import traceback
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence, Tuple, Union
from uuid import uuid4

import numpy as np
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.runner import Runner
from torch import Tensor

from ..evaluation.inference import build_model, embed_split, score_split
from ..evaluation.knn import knn_accuracy
from ..evaluation.linear import LinearRecipe, accuracy, linear_cached
from ..io import atomic_write
from .downstream import CACHED, FAMILIES, downstream_config, recipe_of, shorten


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

    Raises:
        ValueError: If a stream is unknown, or the folder holds results of
            another checkpoint or config.
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
    ) -> None:
        self.config_file, self.out, self.downstream = Path(config), Path(out), Path(downstream)
        self.checkpoint = None if checkpoint is None else Path(checkpoint).resolve()
        self.config = Config.fromfile(config)
        self.streams = tuple(streams) or tuple(self.config.model.streams)
        unknown = sorted(set(self.streams) - set(self.config.model.streams))
        if unknown:
            raise ValueError(f'{config} has no streams {unknown}; it has {list(self.config.model.streams)}')
        self.k, self.runs, self.balance, self.epochs = tuple(k), runs, balance, epochs
        self.splits = dict(
            bank=self.config.test_cfg.bank.split, query=self.config.test_dataloader.dataset.split
        )
        self._claim_folder()

    def _claim_folder(self) -> None:
        """Marks the folder as this checkpoint's."""
        digest = 'random'
        if self.checkpoint is not None:
            digest = hashlib.sha256(self.checkpoint.read_bytes()).hexdigest()
        self.identity = dict(sha256=digest, config=str(self.config_file.resolve()))
        (self.out / 'results').mkdir(parents=True, exist_ok=True)
        mark = self.out / 'evaluation.json'
        if mark.exists() and json.loads(mark.read_text()) != self.identity:
            raise ValueError(f'{self.out} holds results of another checkpoint or config; give another --out')
        mark.write_text(json.dumps(self.identity, indent=1))

    def units(self, protocols: Sequence[str]) -> List[Unit]:
        """What there is to do, in order.

        Raises:
            ValueError: If a protocol is unknown.
        """
        units = []
        for protocol in (name for given in protocols for name in FAMILIES.get(given, (given,))):
            if protocol not in CACHED:
                downstream_config(self.config_file, protocol, self.downstream)
            runs = range(self.runs if protocol.startswith('semi') else 1)
            streams = (None,) if protocol == 'knn' else self.streams
            units += [Unit(protocol, stream, run) for run in runs for stream in streams]
        return list(dict.fromkeys(units))

    def settings(self, unit: Unit) -> Dict:
        """What a result depends on beside checkpoint and config; compared on resuming."""
        if unit.protocol == 'knn':
            return dict(k=list(self.k), streams=list(self.streams))
        settings: Dict = dict(epochs=self.epochs)
        return dict(settings, balance=self.balance) if unit.protocol.startswith('semi') else settings

    def finished(self, unit: Unit) -> Optional[Dict]:
        """The result of a unit if it was reached with the same settings."""
        path = self.out / 'results' / f'{unit.name}.json'
        result = json.loads(path.read_text()) if path.exists() else {}
        same = result.get('settings') == self.settings(unit)
        return result if same and result.get('status') == 'finished' else None

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
            result.update(self._protocol(unit.protocol)(unit), status='finished')
            trace.unlink(missing_ok=True)
        except Exception as error:
            result.update(status='failed', error=f'{type(error).__name__}: {error}')
            trace.write_text(traceback.format_exc())
        result['seconds'] = round(time.time() - begin, 1)
        with atomic_write(self.out / 'results' / f'{unit.name}.json') as file:
            file.write(json.dumps(result, indent=1).encode())
        return result

    def _protocol(self, name: str) -> Callable[[Unit], Dict]:
        return dict(knn=self._knn, linear_cached=self._linear_cached).get(name, self._train)

    @cached_property
    def features(self) -> Dict[str, Tuple[Dict[str, Tensor], Tensor]]:
        """Embeddings and labels of both splits, computed once, on the device."""
        device = get_device()
        model = build_model(self.config, self.checkpoint).to(device)
        embedded = {}
        for part, split in self.splits.items():
            features, labels = embed_split(model, self.config, split, progress=f'embedding {split}')
            on_device = {name: features[name].to(device) for name in self.streams}
            embedded[part] = on_device, labels.to(device)
        return embedded

    def _knn(self, unit: Unit) -> Dict:
        """k-NN accuracies of each stream and of all together, for every k."""
        query, bank = self.features['query'], self.features['bank']
        return dict(accuracies={str(k): knn_accuracy(*query, *bank, k=k) for k in self.k})

    def _linear_cached(self, unit: Unit) -> Dict:
        """The linear protocol's recipe on features without augmentation."""
        config = shorten(downstream_config(self.config_file, 'linear', self.downstream), self.epochs)
        recipe = recipe_of(config)
        (bank, bank_labels), (query, labels) = self.features['bank'], self.features['query']
        rows = bank[unit.stream], bank_labels, query[unit.stream], labels
        scores, best = linear_cached(*rows, config.model.cls_head.num_classes, recipe, seed=unit.run)
        return self._classified(unit, scores, labels, best, recipe)

    def _train(self, unit: Unit) -> Dict:
        """Trains and scores a classifier with MMEngine's runner, resuming a broken run."""
        config = shorten(downstream_config(self.config_file, unit.protocol, self.downstream), self.epochs)
        work_dir = self.out / 'runs' / unit.name
        pretrained = dict(checkpoint=str(self.checkpoint)) if self.checkpoint else None
        config.model.update(modality=unit.stream, pretrained=pretrained)
        config.merge_from_dict(
            dict(
                work_dir=str(work_dir),
                randomness=dict(seed=unit.run),
                experiment_name=f'{unit.name}_{uuid4().hex[:8]}',
                resume=(work_dir / 'last_checkpoint').exists(),
                default_hooks=dict(checkpoint=dict(save_last=True)),
            )
        )
        if 'subset' in config.train_dataloader.dataset:
            config.train_dataloader.dataset.subset.update(seed=unit.run, balance=self.balance)
        runner = Runner.from_cfg(config)
        runner.train()
        model = runner.model.eval()
        scores, labels = score_split(model, config, self.splits['query'])
        best = 100 * runner.message_hub.get_info('best_score', accuracy(scores, labels) / 100)
        return self._classified(unit, scores, labels, best, recipe_of(config))

    def _classified(
        self, unit: Unit, scores: Tensor, labels: Tensor, best: float, recipe: LinearRecipe
    ) -> Dict:
        """Keeps the scores of a unit; its result is the accuracy after the last epoch and the best one."""
        path = self.out / 'results' / f'{unit.name}.npz'
        np.savez_compressed(path, scores=scores.cpu().numpy(), labels=labels.cpu().numpy())
        return dict(last=accuracy(scores, labels), best=float(best), scores=path.name, recipe=str(recipe))
