"""One pre-trained stream and a classifier: linear evaluation, fine-tuning, transfer."""

from typing import Optional, Tuple

import torch
from mmaction.models.recognizers.base import BaseRecognizer
from mmaction.registry import MODELS
from torch import Tensor

from ...parts import fill_in
from ..checkpoints import StrictLoading, load_backbone


@MODELS.register_module()
class SkeletonClassifier(StrictLoading, BaseRecognizer):
    """Classifies by one stream's backbone: linear, fine-tune, semi-supervised, transfer.

    A recognizer of mmaction2 whose ``backbone`` is a :class:`SkeletonEncoder`
    without projector. Its weights come from a stream of a pre-training
    checkpoint, loaded by :meth:`init_weights` and therefore before training
    only; a checkpoint of the classifier itself holds all it needs. Source:
    linear evaluation as in CMD (section 4.3) and I2MD, whose released code
    keeps the whole model in eval mode.

    Args:
        backbone: Config of the backbone, as in pre-training.
        cls_head: Config of the head; its ``in_channels`` are the backbone's
            ``embed_dims`` by default.
        modality: ``'joint'``, ``'motion'`` or ``'bone'``.
        layout: Name of the skeleton layout. Backbone, preprocessor and
            augmentations take layout, persons and coordinates from here.
        num_persons: Persons M of a view.
        num_coordinates: Coordinates C of a joint.
        pretrained: ``dict(checkpoint=FILE, stream=NAME)``, the stream being
            that of the modality by default; None starts at random.
        freeze: Keeps the backbone as it is: no gradient, and always in eval
            mode, so that no statistic of a BatchNorm moves.
        data_preprocessor: Config of the view preprocessor, with one training
            view.

    Raises:
        ValueError: If the width of the backbone or the number of classes is
            nowhere named.

    Example:
        >>> model = SkeletonClassifier(
        ...     dict(type='BiGRU', hidden_channels=8), dict(type='EmbeddingClsHead', num_classes=60))
        >>> model(torch.rand(2, 2, 64, 25, 3), stage='head').shape
        torch.Size([2, 60])
    """

    def __init__(
        self,
        backbone: dict,
        cls_head: dict,
        modality: str = 'joint',
        layout: str = 'ntu25',
        num_persons: int = 2,
        num_coordinates: int = 3,
        pretrained: Optional[dict] = None,
        freeze: bool = False,
        data_preprocessor: dict = dict(type='ActionDataPreprocessor'),  # noqa: B006
    ) -> None:
        if cls_head.get('num_classes') is None:
            raise ValueError(
                'the number of classes is nowhere named; set num_classes of the dataset, or '
                'model.cls_head.num_classes where data sets are joined'
            )
        # Built here, since MMEngine's base class looks in its own registry only.
        skeleton = dict(layout=layout, num_persons=num_persons, num_coordinates=num_coordinates)
        encoder = dict(type='SkeletonEncoder', backbone=backbone, modality=modality, **skeleton)
        super().__init__(
            backbone=dict(encoder, embed_dims=cls_head.get('in_channels')),
            data_preprocessor=MODELS.build(fill_in(data_preprocessor, MODELS, **skeleton)),
        )
        if hasattr(self.backbone.backbone, 'ignore_neighbors'):
            self.backbone.backbone.ignore_neighbors()
        self.cls_head = MODELS.build(dict(cls_head, in_channels=self.backbone.embed_dims))
        self.layout = layout
        self.pretrained = pretrained
        self.freeze = freeze
        if freeze:
            self.backbone.requires_grad_(False)
            self.backbone.eval()

    def init_weights(self) -> None:
        """Initialises head and backbone, then loads the pre-trained backbone.

        Raises:
            ValueError: If a checkpoint is asked for and not named.
            CheckpointMismatch: If it does not fit.
        """
        super().init_weights()
        if self.pretrained is None:
            return
        if not self.pretrained.get('checkpoint'):
            raise ValueError(
                'no pre-trained backbone is named; add --cfg-options model.pretrained.checkpoint=FILE, or '
                'model.pretrained=None to start from a random one'
            )
        stream = self.pretrained.get('stream') or self.backbone.modality.name
        load_backbone(self.backbone.backbone, self.pretrained['checkpoint'], stream, self.layout)

    def train(self, mode: bool = True) -> 'SkeletonClassifier':
        """Enters training mode; a frozen backbone stays in eval mode."""
        super().train(mode)
        if self.freeze:
            self.backbone.eval()
        return self

    def extract_feat(
        self, inputs: Tensor, stage: str = 'backbone', data_samples: Optional[list] = None, **kwargs
    ) -> Tuple[Tensor, dict]:
        """Embeds a view.

        Args:
            inputs: Joints (B, M, T, V, C).
            stage: ``'backbone'`` for the embedding (B, H), ``'head'`` for
                class scores (B, classes).
            data_samples: Unused, mmaction2's signature.
            **kwargs: Unused, mmaction2's signature.

        Returns:
            The tensor, and what the head takes beside it: nothing.
        """
        if not isinstance(inputs, Tensor):
            raise TypeError(
                f'a classifier trains on one view, got {len(inputs)}; give data_preprocessor.train_views one'
            )
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.freeze):
            hidden = self.backbone.extract(inputs)
        return (self.cls_head(hidden) if stage == 'head' else hidden), {}
