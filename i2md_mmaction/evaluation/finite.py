"""No number from features that are none."""

import torch
from torch import Tensor


def check_finite(what: str, *features: Tensor) -> None:
    """Refuses features that would give a number that means nothing.

    Args:
        what: What the features are, for the message.
        *features: Tensors of any shape.

    Raises:
        ValueError: If a value is NaN or infinite.
    """
    for feature in features:
        finite = torch.isfinite(feature)
        if not finite.all():
            rows = int((~finite.view(len(feature), -1)).any(dim=1).sum())
            raise ValueError(
                f'{what}: {rows} of {len(feature)} rows are NaN or infinite; the checkpoint is of a run that '
                'diverged, or a sample is broken'
            )
