"""A method of another kind: no key, no bank, and tokens in place of the pooled feature."""

import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch import nn

from i2md_mmaction.models import SelfSupervised

BACKBONE = dict(type='GCNTransformer', gcn_channels=4, embed_dims=16, depth=1, num_heads=2)


class MaskedPrediction(SelfSupervised):
    """Predicts the joints of every second frame from the tokens of the others."""

    def __init__(self, **kwargs):
        super().__init__(projector=None, **kwargs)
        self.predictors = nn.ModuleDict(
            {name: nn.Linear(stream.query.embed_dims, 25 * 3) for name, stream in self.streams.items()}
        )

    def loss(self, inputs, data_samples=None):
        masked = inputs.clone()
        masked[:, :, ::2] = 0
        wanted = inputs[:, 0, ::2].flatten(2)  # (B, T / 2, V * C)
        return {
            f'loss_{name}': (self.predictors[name](stream.query.tokens(masked))[:, ::2] - wanted)
            .square()
            .mean()
            for name, stream in self.streams.items()
        }


def test_a_masked_prediction_trains_without_key_or_bank_and_its_backbone_is_evaluated(tmp_path):
    torch.manual_seed(0)
    model = MaskedPrediction(backbone=BACKBONE, streams=('joint', 'bone'), num_persons=1)
    model.init_weights()
    names = [name for name, _ in (*model.named_parameters(), *model.named_buffers())]
    assert not hasattr(model, 'bank') and not hasattr(model, 'momentum')
    assert not any('.key.' in name or 'bank' in name for name in names)
    view = torch.randn(4, 1, 1, 25, 3) * torch.linspace(0.5, 1, 16).view(1, 1, -1, 1, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    history = []
    for _ in range(40):
        losses = model(view, mode='loss')
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
        history.append(losses['loss_joint'].item())
    assert history[-1] < 0.5 * history[0]
    expected = model.eval()(view, mode='tensor')
    assert expected['joint'].shape == (4, 16)
    predicted = model(view, [ActionDataSample() for _ in range(4)], mode='predict')
    for name, feature in expected.items():
        assert torch.equal(torch.stack([sample.embedding[name] for sample in predicted]), feature)

    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'masked.pth')
    config = dict(type='SkeletonClassifier', backbone=BACKBONE, num_persons=1, modality='bone')
    config.update(cls_head=dict(type='EmbeddingClsHead', num_classes=3))
    classifier = MODELS.build(dict(config, pretrained=dict(checkpoint=str(tmp_path / 'masked.pth')))).eval()
    classifier.init_weights()
    torch.testing.assert_close(classifier(view), expected['bone'])
