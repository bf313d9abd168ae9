"""What a study runs: every method on every data set with every seed."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Dict, List, Mapping, NamedTuple, Optional, Union

from mmengine.config import Config

from ..io import write_file
from .results import run_name

#: Beside the methods: joints as they are, an untrained encoder, and one trained with labels.
RAW, UNTRAINED, SUPERVISED = 'raw', 'untrained', 'supervised'
#: The titles of these in tables and pictures.
REFERENCES = {RAW: 'raw joints', UNTRAINED: 'untrained', SUPERVISED: 'supervised'}

#: What of a config says which data are evaluated.
_LOADED = ('train_dataloader', 'val_dataloader', 'test_dataloader', 'val_cfg', 'test_cfg')


@dataclass(frozen=True)
class Job:
    """One run: a method on an encoder, a data set, and a seed."""

    encoder: str
    method: str
    data: str
    seed: int
    fold: Optional[str] = None

    @property
    def name(self) -> str:
        """Name of its files."""
        return run_name(self.encoder, self.method, self.data, self.seed, self.fold)

    @property
    def pretrains(self) -> bool:
        """Whether there is an encoder to pre-train."""
        return self.method not in REFERENCES


class Method(NamedTuple):
    """A method in a grid: its title, the name of its config, and how it differs from that."""

    title: str
    config: str
    change: str = ''


class Grid:
    """The grid of a study, read from a file in the manner of MMEngine's configs.

    The file states:

    - ``encoders``: name -> ``title``, ``baseline``, ``methods`` and ``compose``.
      A method is a title, or a variant of another one,
      ``dict(title=..., config=METHOD, change=TEXT)``.
    - ``references``: which of raw joints, an untrained encoder and one trained
      with labels stand beside the methods.
    - ``data``: name -> title. ``folds``: data -> fold -> environment variables.
    - ``pretraining``: the data set that all runs learn from, and are evaluated on
      all of ``data``. Without, each learns from the one that it is evaluated on.
    - ``seeds``, and ``protocols``: name -> methods it is measured on, None for all.
    - ``settings``: what all runs share, as the text of a config.
    - ``pages``: Markdown files that hold tables, beside the grid or relative to it, see
      :func:`~i2md_mmaction.study.page.fill_page`.

    Beside it lie ``configs/data/DATA.py``, ``configs/ENCODER/METHOD.py`` and
    ``configs/protocols/``. The config of a run inherits from the first two and
    goes on with the text of ``compose``, of ``settings`` and of a variant's
    ``change``.

    Args:
        path: The file.

    Raises:
        FileNotFoundError: If it, or a config that it needs, is missing.
        ValueError: If a baseline is none of the methods, a reference unknown, or
            a variant not whole.
    """

    def __init__(self, path: Union[str, Path]) -> None:
        self.path = Path(path).resolve()
        self.content = Config.fromfile(self.path)
        self.configs = self.path.with_name('configs')
        #: Encoder -> name -> method.
        self.methods = {
            name: {
                key: self._method(f'method {key!r} of {name}', key, value)
                for key, value in encoder.methods.items()
            }
            for name, encoder in self.content.encoders.items()
        }
        for name, encoder in self.content.encoders.items():
            if encoder.baseline not in encoder.methods:
                raise ValueError(
                    f'{path}: the baseline {encoder.baseline!r} of {name} is none of its methods '
                    f'{list(encoder.methods)}'
                )
        if unknown := set(self.content.references) - set(REFERENCES):
            raise ValueError(f'{path}: unknown references {sorted(unknown)}; there are {list(REFERENCES)}')
        wanted = [self.configs / 'data' / f'{name}.py' for name in (*self._learned_from, *self.content.data)]
        wanted += [
            self.configs / name / f'{method.config}.py'
            for name, methods in self.methods.items()
            for method in methods.values()
        ]
        missing = [str(file) for file in wanted if not file.is_file()]
        if missing:
            raise FileNotFoundError(f'{path} names what has no config: {", ".join(missing)} missing')

    def _method(self, place: str, name: str, entry: Union[str, Mapping]) -> Method:
        """Reads a method of the grid."""
        if isinstance(entry, str):
            return Method(entry, name)
        if set(entry) != set(Method._fields):
            raise ValueError(
                f'{self.path}: {place} has {sorted(entry)}; a variant has {sorted(Method._fields)}'
            )
        return Method(**entry)

    @property
    def pages(self) -> List[Path]:
        """Files that hold tables of the study."""
        return [(self.path.parent / page).resolve() for page in self.content.get('pages', [])]

    @property
    def layout(self) -> Dict:
        """What tables and pictures show, in their order."""
        encoders = {
            name: dict(
                title=encoder.title,
                baseline=encoder.baseline,
                methods={
                    RAW: REFERENCES[RAW],
                    UNTRAINED: REFERENCES[UNTRAINED],
                    **{key: method.title for key, method in self.methods[name].items()},
                    SUPERVISED: REFERENCES[SUPERVISED],
                },
            )
            for name, encoder in self.content.encoders.items()
        }
        return dict(encoders=encoders, data=dict(self.content.data))

    def jobs(self) -> List[Job]:
        """All runs, those of the first seed first, so that a study that is cut short is even."""
        return [
            Job(name, method, data, seed, fold)
            for seed in self.content.seeds
            for data in self._learned_from
            for fold in self.content.get('folds', {}).get(data) or [None]
            for name, methods in self.methods.items()
            for method in (*self.content.references, *methods)
            # Nothing in the joints themselves is drawn.
            if method != RAW or seed == self.content.seeds[0]
        ]

    @property
    def _learned_from(self) -> List[str]:
        """The data sets to pre-train on."""
        shared = self.content.get('pretraining')
        return [shared] if shared else list(self.content.data)

    def evaluations(self, job: Job) -> List[Job]:
        """The run as seen from each data set that it is evaluated on, by whose names its results go."""
        if 'pretraining' in self.content:
            return [replace(job, data=data) for data in self.content.data]
        return [job]

    def protocols(self, job: Job) -> List[str]:
        """What is measured of a run."""
        if job.method == SUPERVISED:
            return [SUPERVISED]
        if job.method == RAW:
            return ['knn']
        measured = set(self.methods[job.encoder])
        return [
            name
            for name, methods in self.content.protocols.items()
            # A floor, only where there is a method to stand above it.
            if not methods or (job.method in methods and measured & set(methods))
        ]

    def environment(self, job: Job) -> Dict[str, str]:
        """Environment variables of a run."""
        return dict(self.content.folds[job.data][job.fold]) if job.fold else {}

    def compose(self, job: Job, folder: Union[str, Path]) -> Path:
        """Writes the config of a run into a folder.

        A floor or ceiling has the config of its encoder's baseline, whose
        encoder, views of evaluation and data set it shares.
        """
        encoder = self.content.encoders[job.encoder]
        method = self.methods[job.encoder][job.method if job.pretrains else encoder.baseline]
        bases = [
            str(self.configs / 'data' / f'{job.data}.py'),
            str(self.configs / job.encoder / f'{method.config}.py'),
        ]
        text = f'_base_ = {bases!r}\n\n{encoder.compose}\n{self.content.settings}'
        file = Path(folder, f'{job.method}.py')
        if method.change:
            whole = write_file(Path(folder, 'without_its_change.py'), text)
            text = f'_base_ = {str(whole)!r}\n\n{method.change}\n'
        return write_file(file, text)

    def compose_evaluation(self, job: Job, data: str, folder: Union[str, Path]) -> Path:
        """Writes the config by which a run is evaluated on a data set into a folder.

        If it learned from another one, the model is that of pre-training, and
        what is loaded is this data set's.
        """
        file = self.compose(replace(job, data=data), folder)
        if data != job.data:
            own, config = Config.fromfile(file), Config.fromfile(self.compose(job, folder))
            for key in _LOADED:
                # Not by `update`, which would merge them into those of pre-training.
                config[key] = own[key]
            config.dump(file)
        return file
