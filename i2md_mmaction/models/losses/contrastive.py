"""Contrast across streams."""

from mmaction.registry import MODELS

from .info_nce import InfoNCELoss


@MODELS.register_module()
class MutualContrastiveLoss(InfoNCELoss):
    """InfoNCE of one stream's queries against another stream's keys.

    The rival of distillation in the ablations of CMD and I2MD: the student's
    query is contrasted with the teacher's key of the same sample (``pos_sim``)
    against the teacher's bank (``neg_sim``), as in the interactive part of
    mutual contrastive learning (Yang et al., AAAI 2022).
    """
