"""The protocols of the papers: one table that running, reporting and drawing read."""

from dataclasses import dataclass
from typing import Dict, List, Mapping, Optional, Sequence

import numpy as np

from ..evaluation.ensemble import AIMCLR_WEIGHTS, fuse_scores

#: Name of the fusion of all streams, beside theirs.
ENSEMBLE = 'ensemble'


@dataclass(frozen=True)
class Protocol:
    """How an encoder is judged.

    Args:
        name: Its name; that of its file in ``configs/downstream`` unless it
            works on features.
        meaning: What it is, in a line of the report.
        on_features: Whether it works on features that are embedded once. Every
            other protocol trains a classifier by its config.
        family: A name that stands for several protocols.
        repeated: Whether it is run with several seeds, each of which draws
            other labelled samples.
        weights: Weights of the streams in the ensemble; evenly by default.
    """

    name: str
    meaning: str = 'see its config'
    on_features: bool = False
    family: Optional[str] = None
    repeated: bool = False
    weights: Optional[Mapping[str, float]] = None

    def fuse(
        self, scores: Dict[str, np.ndarray], weights: Optional[Mapping[str, float]] = None
    ) -> np.ndarray:
        """Scores (S, classes) of the ensemble, by the protocol's weights unless there are others."""
        return fuse_scores(scores, weights or self.weights)


def _semi(percent: int) -> Protocol:
    meaning = f'fine-tuned with the labels of {percent} % of the training samples'
    return Protocol(f'semi_{percent}', meaning, family='semi', repeated=True)


#: By name. Pictures of the classes are drawn from the first one here that has been run.
PROTOCOLS: Dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            'knn',
            'cosine k-NN of frozen features, evaluation view of both splits; ensemble: features joined',
            on_features=True,
        ),
        Protocol('linear', 'linear classifier on the frozen encoder, training views cropped at random'),
        Protocol(
            'linear_aimclr',
            "AimCLR's linear evaluation: no augmentation; ensemble: logits 0.6 J + 0.4 M + 0.6 B",
            weights=AIMCLR_WEIGHTS,
        ),
        Protocol(
            'linear_cached',
            "linear's recipe on features embedded once, NO augmentation: not the papers' protocol",
            on_features=True,
        ),
        Protocol('finetune', 'encoder and classifier trained together'),
        Protocol(
            'transfer',
            'encoder and classifier trained together on another data set than the encoder came from',
        ),
        *map(_semi, (1, 5, 10, 20)),
    )
}


def find_protocol(name: str) -> Protocol:
    """A protocol by name; one that the table lacks is a config that somebody added.

    Example:
        >>> find_protocol('semi_10').repeated
        True
    """
    return PROTOCOLS.get(name, Protocol(name))


def expand(names: Sequence[str]) -> List[Protocol]:
    """The protocols that names stand for, a family for all of its members.

    Example:
        >>> [protocol.name for protocol in expand(['knn', 'semi'])]
        ['knn', 'semi_1', 'semi_5', 'semi_10', 'semi_20']
    """
    protocols: List[Protocol] = []
    for name in names:
        family = [protocol for protocol in PROTOCOLS.values() if protocol.family == name]
        protocols += family or [find_protocol(name)]
    return protocols
