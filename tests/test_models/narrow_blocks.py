"""Two ST-GCN blocks of few channels, the second of stride 2, against mmaction2's in float64, contiguous."""

from itertools import product

import torch

import i2md_mmaction  # noqa: F401, lets mmaction.models be imported
from i2md_mmaction.models.backbones.graph_convolution import GraphConvolution

from mmaction.models.backbones.stgcn import STGCNBlock  # isort: skip


class Backbone(torch.nn.Module):
    """Two blocks, as ``GraphConvolution.convert`` expects them."""

    def __init__(self, channels, joints):
        super().__init__()
        adjacency = torch.rand(3, joints, joints) / joints
        self.gcn = torch.nn.ModuleList(
            (
                STGCNBlock(channels, channels, adjacency),
                STGCNBlock(channels, 2 * channels, adjacency, stride=2),
            )
        )

    def forward(self, x):
        for block in self.gcn:
            x = block(x)
        return x


def results(backbone, x):
    """Output and gradients of a loss that weighs all outputs differently and moves them by about 1."""
    x = x.detach().requires_grad_()
    out = backbone(x)
    out.backward(1e-3 * torch.linspace(-1, 1, out.numel(), dtype=out.dtype).view(out.shape))
    return [out.detach(), x.grad, *(parameter.grad for parameter in backbone.parameters())]


def difference(channels, joints, frames):
    """Largest difference to float64, each tensor on its own scale."""
    torch.manual_seed(0)
    expected = Backbone(channels, joints).double()
    own = Backbone(channels, joints)
    GraphConvolution.convert(own)
    own.load_state_dict(expected.state_dict())
    for module in (*expected.modules(), *own.modules()):
        # At the kink of a ReLU rounding alone would change a gradient.
        for name, child in module.named_children():
            if isinstance(child, torch.nn.ReLU):
                setattr(module, name, torch.nn.GELU())
    x = torch.randn(12, channels, frames, joints)
    differences = []
    for value, reference in zip(results(own, x), results(expected, x.double()), strict=True):
        scale = reference.abs().max().clamp(min=1)
        differences.append(float((value.double() - reference).abs().max() / scale))
    return max(differences)


if __name__ == '__main__':
    for channels, joints, frames in product((3, 4, 8, 12, 16), (20, 25), (49, 50)):
        worst = difference(channels, joints, frames)
        print(channels, joints, frames, 'same' if worst < 1e-3 else f'differs by {worst:.1e}', flush=True)
