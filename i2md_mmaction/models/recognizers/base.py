"""What all self-supervised recognizers share: streams over common views, modes, features."""

from typing import Dict, Optional, Sequence, Tuple

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModel, ModuleDict
from torch import Tensor, nn

from ...parts import fill_in
from ..checkpoints import StrictLoading
from ..encoder import Stream


class SelfSupervised(StrictLoading, BaseModel):
    """One stream for each modality, all over the same views of a sample.

    A method adds :meth:`loss`. What compares a query with keys of a momentum
    encoder and a memory bank derives from :class:`MomentumContrast`; nothing
    here knows of either.

    Args:
        backbone: Config of the backbone, built anew for each stream.
        projector: Config of the projector.
        encoder: Config of what joins the two with modality and pool.
        streams: Modalities, a stream each.
        layout: Name of the skeleton layout. Backbone, preprocessor and
            augmentations take layout, persons and coordinates from here.
        num_persons: Persons M of a view.
        num_coordinates: Coordinates C of a joint: 3, or 2 for joints in images.
        data_preprocessor: Config of the view preprocessor.
        compiled: Whether ``torch.compile`` turns the way from the views to the
            losses into one graph. (MMEngine's own key ``compile`` would take
            the whole ``train_step``, which breaks into many.)
        init_cfg: As for ``BaseModule``.

    Raises:
        ValueError: If no stream is named or one stands twice, if there are fewer
            training views than a step takes, if a part's config contradicts
            layout, persons or coordinates, or if what is to be compiled has a recurrent
            network.
    """

    #: What a stream is built as.
    stream_type = Stream
    #: Training views that a step takes of each sample.
    num_views = 1

    def __init__(
        self,
        backbone: dict,
        projector: Optional[dict] = dict(type='ProjectionHead'),  # noqa: B006
        encoder: dict = dict(type='SkeletonEncoder'),  # noqa: B006
        streams: Sequence[str] = ('joint', 'motion', 'bone'),
        layout: str = 'ntu25',
        num_persons: int = 2,
        num_coordinates: int = 3,
        data_preprocessor: Optional[dict] = None,
        compiled: bool = False,
        init_cfg: Optional[dict] = None,
    ) -> None:
        skeleton = dict(layout=layout, num_persons=num_persons, num_coordinates=num_coordinates)
        if data_preprocessor is not None:
            # Built here, since MMEngine's base class looks in its own registry only.
            data_preprocessor = MODELS.build(fill_in(data_preprocessor, MODELS, **skeleton))
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        if isinstance(streams, str) or not streams or len(set(streams)) != len(streams):
            raise ValueError(f'streams must be a list of modalities, each once; got {streams!r}')
        views = getattr(self.data_preprocessor, 'train_views', None)
        if views is not None and len(views) < self.num_views:
            raise ValueError(
                f'{type(self).__name__} takes {self.num_views} views of a sample, but train_views of '
                f'model.data_preprocessor has {len(views)}'
            )
        encoder = dict(encoder, backbone=backbone, projector=projector, **skeleton)
        self.streams = ModuleDict(
            {modality: self.stream_type(dict(encoder, modality=modality)) for modality in streams}
        )
        if compiled and any(isinstance(module, nn.RNNBase) for module in self.modules()):
            raise ValueError(
                "compiled=True: torch.compile does not trace torch's recurrent networks, which are one "
                'call for a whole sequence as they are; leave model.compiled at False'
            )
        # The function, not the bound method, so that a copy of the model runs itself.
        loss = type(self).loss
        self._loss = torch.compile(loss, fullgraph=True, dynamic=False) if compiled else loss

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

    def extract_feat(self, view: Tensor, streams: Optional[Sequence[str]] = None) -> Dict[str, Tensor]:
        """Hidden embeddings (B, H) of the query encoders, by stream; of all streams by default."""
        names = self.streams.keys() if streams is None else streams
        return {name: self.streams[name].query.extract(view).float() for name in names}

    def predict(self, view: Tensor, data_samples: list) -> list:
        """Writes each sample's hidden embeddings into its ``embedding`` field, by stream."""
        features = self.extract_feat(view)
        for index, sample in enumerate(data_samples):
            sample.set_field({name: feature[index] for name, feature in features.items()}, 'embedding')
        return data_samples
