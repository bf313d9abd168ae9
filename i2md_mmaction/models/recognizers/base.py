"""What all pre-training recognizers share: streams, bank, modes, features."""

from typing import Dict, List, Optional, Sequence, Tuple

import torch
from mmaction.registry import MODELS
from mmengine.dist import all_gather
from mmengine.model import BaseModel, ModuleDict
from torch import Tensor, nn

from ..checkpoints import StrictLoading
from ..stream import Stream


class SkeletonPretrainer(StrictLoading, BaseModel):
    """Streams over shared views and one memory bank.

    A method adds :meth:`loss`. Keys that a training step remembers
    (:meth:`remember`) reach the bank through
    :class:`~i2md_mmaction.engine.MoCoMemoryHook` once the optimiser has
    stepped.

    Args:
        backbone: Config of the backbone, built anew for each stream.
        projector: Config of the projector.
        bank: Config of the memory bank; its entries are the method's.
        streams: Modalities, a stream each.
        layout: Name of the skeleton layout.
        momentum: m of the key encoders; 0.999 in the papers.
        data_preprocessor: Config of the view preprocessor.
        compiled: Whether ``torch.compile`` turns the way from the views to the
            losses into one graph. (MMEngine's own key ``compile`` would take
            the whole ``train_step``, which breaks into many.)
        init_cfg: As for ``BaseModule``.

    Raises:
        ValueError: If no stream is named or one stands twice, or if what is to
            be compiled has a recurrent network.
    """

    #: Entries of the bank that each stream has, and the embedding they hold.
    entries: Tuple[str, ...] = ('key',)

    def __init__(
        self,
        backbone: dict,
        projector: dict = dict(type='ProjectionHead'),  # noqa: B006
        bank: dict = dict(type='MemoryBank'),  # noqa: B006
        streams: Sequence[str] = ('joint', 'motion', 'bone'),
        layout: str = 'ntu25',
        momentum: float = 0.999,
        data_preprocessor: Optional[dict] = None,
        compiled: bool = False,
        init_cfg: Optional[dict] = None,
    ) -> None:
        # Built here, since MMEngine's base class looks in its own registry only.
        super().__init__(
            data_preprocessor=data_preprocessor and MODELS.build(data_preprocessor), init_cfg=init_cfg
        )
        if not streams or len(set(streams)) != len(streams):
            raise ValueError(f'streams must name modalities, each once; got {streams}')
        self.streams = ModuleDict(
            {name: Stream(name, layout, backbone, projector, momentum) for name in streams}
        )
        self.bank = MODELS.build(dict(bank, dims=self.bank_dims()))
        self._remembered: List[Dict[str, Tensor]] = []
        if compiled and any(isinstance(module, nn.RNNBase) for module in self.modules()):
            raise ValueError(
                "compiled=True: torch.compile does not trace torch's recurrent networks, which are one "
                'call for a whole sequence as they are; leave model.compiled at False'
            )
        # The function, not the bound method, so that a copy of the model runs itself.
        loss = type(self).loss
        self._loss = torch.compile(loss, fullgraph=True, dynamic=False) if compiled else loss

    def bank_dims(self) -> Dict[str, int]:
        """Dimensions of the bank's entries, named STREAM_ENTRY."""
        dims = {}
        for name, stream in self.streams.items():
            embedding = stream.query.projector.out_channels
            for entry in self.entries:
                dims[f'{name}_{entry}'] = stream.query.embed_dims if entry == 'hidden' else embedding
        return dims

    def remember(self, **entries: Tensor) -> None:
        """Keeps keys of this step for the bank; only while training, and with gradients.

        Raises:
            RuntimeError: If nothing ever takes them into the bank.
        """
        if not (self.training and torch.is_grad_enabled()):
            return
        self._remembered.append({name: values.detach() for name, values in entries.items()})
        rows = sum(len(next(iter(kept.values()))) for kept in self._remembered)
        if len(self._remembered) > 1 and rows > 2 * self.bank.size:  # one batch may exceed the bank
            raise RuntimeError(
                'keys pile up and the bank never changes: add dict(type="MoCoMemoryHook") to custom_hooks'
            )

    @torch.no_grad()
    def update_memory(self) -> None:
        """Moves the key encoders and enqueues what was remembered, of all ranks."""
        for stream in self.streams.values():
            stream.update_key()
        if self._remembered:
            batch = {name: torch.cat([kept[name] for kept in self._remembered]) for name in self.bank.dims}
            self._remembered.clear()
            self.bank.enqueue(**{name: torch.cat(all_gather(values)) for name, values in batch.items()})

    def forward(self, inputs, data_samples: Optional[list] = None, mode: str = 'tensor'):
        """Dispatches to losses, predictions or features as MMEngine asks.

        Args:
            inputs: Views (B, M, T, V, C), a tuple of them for ``'loss'``.
            data_samples: One ``ActionDataSample`` for each sample.
            mode: ``'loss'``, ``'predict'`` or ``'tensor'``.
        """
        if mode == 'loss':
            return self._loss(self, inputs, data_samples)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        if mode == 'tensor':
            return self.extract_feat(inputs)
        raise RuntimeError(f"invalid mode {mode!r}; choose 'loss', 'predict' or 'tensor'")

    def loss(self, inputs: Tuple[Tensor, ...], data_samples: Optional[list] = None) -> Dict[str, Tensor]:
        """Computes the named losses of a step from its views."""
        raise NotImplementedError

    def extract_feat(self, view: Tensor) -> Dict[str, Tensor]:
        """Hidden embeddings (B, H) of the query encoders, by stream."""
        return {
            name: stream.query.extract(stream.modality(view)).float() for name, stream in self.streams.items()
        }

    def predict(self, view: Tensor, data_samples: list) -> list:
        """Writes each sample's hidden embeddings into its ``embedding`` field, by stream."""
        features = self.extract_feat(view)
        for index, sample in enumerate(data_samples):
            sample.set_field({name: feature[index] for name, feature in features.items()}, 'embedding')
        return data_samples
