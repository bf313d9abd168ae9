"""SimSiam on skeletons: two views, a predictor and a stop-gradient; no keys and no bank."""

from typing import Dict, Optional, Tuple

from mmaction.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from i2md_mmaction.models import SelfSupervised


@MODELS.register_module()
class SkeletonSimSiam(SelfSupervised):
    """Each view's prediction is drawn towards the other view's embedding, each stream for itself.

    Source: SimSiam (Chen and He, CVPR 2021), algorithm 1.

    Args:
        predictor_channels: Hidden width of the predictor.
        **kwargs: As for :class:`SelfSupervised`.
    """

    num_views = 2

    def __init__(self, predictor_channels: int = 32, **kwargs) -> None:
        super().__init__(**kwargs)
        self.predictors = nn.ModuleDict()
        for name, stream in self.streams.items():
            width = stream.query.projector.out_channels
            self.predictors[name] = nn.Sequential(
                nn.Linear(width, predictor_channels, bias=False),
                nn.BatchNorm1d(predictor_channels),
                nn.ReLU(),
                nn.Linear(predictor_channels, width),
            )

    def loss(self, inputs: Tuple[Tensor, Tensor], data_samples: Optional[list] = None) -> Dict[str, Tensor]:
        """Negative cosine similarity of each stream, both ways, from two views (B, M, T, V, C)."""
        losses = {}
        for name, stream in self.streams.items():
            first, second = (stream(view).embedding for view in inputs)
            predict = self.predictors[name]
            losses[f'loss_{name}'] = -0.5 * (
                F.cosine_similarity(predict(first), second.detach()).mean()
                + F.cosine_similarity(predict(second), first.detach()).mean()
            )
        return losses
