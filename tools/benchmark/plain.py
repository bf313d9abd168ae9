"""The methods in the manner of research code, to be measured against.

Frame by frame through the GRU, a stream after another through code of its own,
attention with its weights written out, every similarity and every top-K taken
anew where it is needed, one parameter after another in optimiser and momentum,
float32. What it computes is what the recognizers compute; a test holds the two
together. Nobody should train with it.
"""

from copy import deepcopy
from itertools import permutations
from typing import Dict, List, Optional

import torch
from mmaction.models.utils import unit_gcn
from torch import Tensor, nn
from torch.nn import functional as F

from i2md_mmaction.models import BiGRU, GCNTransformer, MomentumContrast, SkeletonEncoder
from i2md_mmaction.models.backbones.graph_convolution import GraphConvolution
from i2md_mmaction.models.dropout import UniformDropout
from i2md_mmaction.models.encoder import average_map
from i2md_mmaction.released_cmd import gru_parameter


def use_upstream_modules(network: nn.Module) -> nn.Module:
    """Puts mmaction2's graph convolution and torch's dropout, with the same weights, in place of ours."""
    for name, module in network.named_children():
        if isinstance(module, GraphConvolution):
            upstream = unit_gcn(module.in_channels, module.out_channels, module.A)
            upstream.load_state_dict(module.state_dict())
            setattr(network, name, upstream.to(module.A.device))
        elif isinstance(module, UniformDropout):
            setattr(network, name, nn.Dropout(module.p))
        else:
            use_upstream_modules(module)
    return network


class StepwiseGRU(nn.Module):
    """CMD's encoder called a frame at a time, as it was released.

    Args:
        backbone: Encoder whose weights are copied.
    """

    def __init__(self, backbone: BiGRU) -> None:
        super().__init__()
        state = backbone.gru.state_dict(prefix='backbone.gru.')
        weights = {gru_parameter(name): value for name, value in state.items()}
        inputs, hidden = weights['weight_ih_l0'].size(1), backbone.embed_dims // 2
        self.input_norm = deepcopy(backbone.input_norm)
        self.gru = nn.GRU(inputs, hidden, len(backbone.gru), batch_first=True, bidirectional=True)
        self.gru.load_state_dict(weights)
        self.to(self.input_norm.weight.device)

    def forward(self, x: Tensor) -> Tensor:
        """Maps (B, M, T, V, C) to the feature (B, 2 * hidden)."""
        frames = x.permute(0, 2, 3, 4, 1).flatten(2)
        frames = self.input_norm(frames.flatten(0, 1)).view_as(frames)
        self.gru.flatten_parameters()
        outputs, state = frames.new_zeros(len(frames), 0, 2 * self.gru.hidden_size), None
        for t in range(frames.size(1)):
            output, state = self.gru(frames[:, t : t + 1], state)
            outputs = torch.cat((outputs, output), dim=1)
        return outputs[:, -1]


class PlainEncoder(nn.Module):
    """An encoder on weights of its own, copied from one of ours."""

    def __init__(self, encoder: SkeletonEncoder) -> None:
        super().__init__()
        self.backbone = (
            StepwiseGRU(encoder.backbone)
            if isinstance(encoder.backbone, BiGRU)
            else use_upstream_modules(deepcopy(encoder.backbone))
        )
        self.project = deepcopy(encoder.projector)

    def forward(self, x: Tensor) -> Tensor:
        """Hidden embeddings (B, H) of a modality (B, M, T, V, C)."""
        if isinstance(self.backbone, GCNTransformer):
            return self.attend(x)
        return average_map(self.backbone(x))

    def attend(self, x: Tensor, neighbors: Optional[Tensor] = None) -> Tensor:
        """The graph Transformer, the graph convolutions run for each branch."""
        tokens = self.backbone.tokenize(x)
        for layer in self.backbone.layers:
            x = layer.norm_self(tokens)
            tokens = tokens + _written_out(layer.self_attention, x, x)
            if neighbors is not None:
                tokens = tokens + _written_out(layer.cross_attention, layer.norm_cross(tokens), neighbors)
            tokens = tokens + layer.feedforward(layer.norm_feedforward(tokens))
        return self.backbone.norm(tokens).mean(dim=1)


def _written_out(attention: nn.MultiheadAttention, x: Tensor, context: Tensor) -> Tensor:
    """torch's attention as most call it: with its weights, which nobody reads."""
    return nn.MultiheadAttention.forward(attention, x, context, context, need_weights=True)[0]


class PlainMethod:
    """The losses, the momentum and the queues of a recognizer, plainly.

    Args:
        model: Recognizer whose weights and bank are copied, and whose settings
            are looked up.
    """

    def __init__(self, model: MomentumContrast) -> None:
        self.settings = model
        self.modality = {name: deepcopy(stream.query.modality) for name, stream in model.streams.items()}
        self.query = {name: PlainEncoder(stream.query) for name, stream in model.streams.items()}
        self.key = {name: PlainEncoder(stream.key) for name, stream in model.streams.items()}
        self.queue = {name: model.bank[name].clone() for name in model.bank.dims}
        self.pointer, self.filled = int(model.bank.pointer), int(model.bank.filled)
        self.kept: Dict[str, Tensor] = {}

    def parameters(self) -> List[nn.Parameter]:
        """The parameters of the query encoders."""
        return [parameter for encoder in self.query.values() for parameter in encoder.parameters()]

    def losses(self, *views: Tensor) -> Dict[str, Tensor]:
        """The losses of a step, named as the recognizer names them."""
        method = type(self.settings).__name__
        losses = {}
        queries, keys = {}, {}
        for name in self.query:
            queries[name] = self.query[name].project(self.query[name](self.modality[name](views[0])))
            with torch.no_grad():
                hidden = self.key[name](self.modality[name](views[1]))
                keys[name] = self.key[name].project(hidden)
            self.kept[f'{name}_key'] = keys[name]
            if method == 'I2MD':
                self.kept[f'{name}_hidden'] = hidden
        mining = getattr(self.settings, 'mining', False)
        for name in self.query if not mining else ():
            losses[f'loss_nce_{name}'] = self.info_nce(queries[name], keys[name], f'{name}_key')
        if method in ('CMD', 'I2MD'):
            for teacher, student in self.settings.edges:
                losses[f'loss_cmd_{teacher}_to_{student}'] = self.settings.cmd_weight * self.distil(
                    keys[teacher], f'{teacher}_key', queries[student], f'{student}_key'
                )
        if method == 'I2MD':
            losses.update(self.cluster_losses(views, queries, keys))
        if method == 'MCL':
            for teacher, student in self.settings.edges:
                loss = self.info_nce(queries[student], keys[teacher], f'{teacher}_key')
                losses[f'loss_mcl_{teacher}_to_{student}'] = self.settings.mcl_weight * loss
        if method == 'CrosSCLR' and mining:
            losses.update(self.cross_losses(queries, keys))
        if method == 'AimCLR':
            losses.update(self.extreme_losses(views[2], queries, keys, mining))
        return losses

    def logits(self, query: Tensor, key: Tensor, entry: str) -> Tensor:
        """Similarities to the key and to the queue (B, 1 + N)."""
        positive = torch.einsum('nc,nc->n', query, key).unsqueeze(-1)
        return torch.cat(
            (positive, torch.einsum('nc,kc->nk', query, self.queue[entry].clone().detach())), dim=1
        )

    def info_nce(self, query: Tensor, key: Tensor, entry: str) -> Tensor:
        logits = self.logits(query, key, entry) / self.settings.contrast.temperature
        return F.cross_entropy(logits, torch.zeros(len(logits), dtype=torch.long, device=logits.device))

    def distil(self, key: Tensor, key_entry: str, query: Tensor, query_entry: str) -> Tensor:
        """From a teacher's key to a student's query."""
        settings = self.settings.distillation
        teacher = torch.einsum('nc,kc->nk', key, self.queue[key_entry].clone().detach())
        teacher, index = torch.topk(teacher, settings.topk, dim=1)
        student = torch.einsum('nc,kc->nk', query, self.queue[query_entry].clone().detach())
        student = torch.gather(student, 1, index)
        target = F.softmax(teacher / settings.teacher_temperature, dim=1)
        log_prob = F.log_softmax(student / settings.student_temperature, dim=1)
        return F.kl_div(log_prob, target, reduction='batchmean')

    def cluster_losses(self, views, queries: Dict[str, Tensor], keys: Dict[str, Tensor]) -> Dict[str, Tensor]:
        """The cluster branch of I2MD: its contrast and the distillation with the instance branch."""
        losses = {}
        for name in self.query:
            query = self.query[name]
            x = self.modality[name](views[0])
            query_cluster = query.project(query.attend(x, self.neighbors(queries[name], name, query, x)))
            with torch.no_grad():
                key = self.key[name]
                x = self.modality[name](views[1])
                key_cluster = key.project(key.attend(x, self.neighbors(keys[name], name, key, x)))
            self.kept[f'{name}_cluster_key'] = key_cluster
            entry, cluster = f'{name}_key', f'{name}_cluster_key'
            losses[f'loss_cluster_nce_{name}'] = self.info_nce(query_cluster, key_cluster, cluster)
            weight = self.settings.imd_weight
            losses[f'loss_imd_{name}_instance_to_cluster'] = weight * self.distil(
                keys[name], entry, query_cluster, cluster
            )
            losses[f'loss_imd_{name}_cluster_to_instance'] = weight * self.distil(
                key_cluster, cluster, queries[name], entry
            )
        return losses

    @torch.no_grad()
    def neighbors(self, embedding: Tensor, name: str, encoder: PlainEncoder, x: Tensor) -> Tensor:
        """Hidden embeddings (B, K_d, H) of the nearest rows, the sample's own while there are none."""
        if not self.filled:
            return encoder(x)[:, None]
        similarity = torch.einsum('nc,kc->nk', embedding, self.queue[f'{name}_key'][: self.filled])
        index = torch.topk(similarity, min(self.settings.num_neighbors, self.filled), dim=1)[1]
        return self.queue[f'{name}_hidden'][index]

    def cross_losses(self, queries: Dict[str, Tensor], keys: Dict[str, Tensor]) -> Dict[str, Tensor]:
        """The second stage of CrosSCLR."""
        losses = {}
        for u, v in permutations(self.query, 2):
            logits = self.logits(queries[u], keys[u], f'{u}_key')
            other = self.logits(queries[v], keys[v], f'{v}_key')
            mined = self.mined(queries[v], f'{v}_key', 1)
            if self.settings.context:
                logits = torch.cat((logits, logits[:, 1:] * other[:, 1:]), dim=1)
                mined = torch.cat((mined, mined), dim=1)
            loss = self.mean_log(logits, mined)
            losses[f'loss_cross_{v}_to_{u}'] = loss / (len(self.query) - 1)
        return losses

    @torch.no_grad()
    def mined(self, query: Tensor, entry: str, k: int) -> Tensor:
        """The filled rows nearest to a query, as a mask (B, N)."""
        similarity = torch.einsum('nc,kc->nk', query, self.queue[entry])
        mask = torch.zeros_like(similarity)
        if self.filled:
            index = torch.topk(similarity[:, : self.filled], min(k, self.filled), dim=1)[1]
            mask.scatter_(1, index, 1)
        return mask

    def mean_log(self, logits: Tensor, mined: Tensor) -> Tensor:
        """Mean over the positives, the key among them, of -log softmax."""
        positive = torch.cat((torch.ones_like(mined[:, :1]), mined), dim=1)
        log_prob = F.log_softmax(logits / self.settings.neighbor.temperature, dim=1)
        return -((log_prob * positive).sum(dim=1) / positive.sum(dim=1)).mean()

    def extreme_losses(
        self, view: Tensor, queries: Dict[str, Tensor], keys: Dict[str, Tensor], mining: bool
    ) -> Dict[str, Tensor]:
        """What AimCLR does with its extreme view."""
        losses = {}
        for name, query in self.query.items():
            entry = f'{name}_key'
            feature = query.backbone(self.modality[name](view))
            extreme = [query.project(average_map(x)) for x in (feature, self.settings.drop(feature))]
            if mining:
                mined = [self.mined(q, entry, self.settings.topk) for q in (queries[name], *extreme)]
                logits = self.logits(queries[name], keys[name], entry)
                losses[f'loss_nnm_{name}'] = self.mean_log(logits, sum(mined).clamp(max=1))
            divergences = []
            for q in extreme:
                temperature = self.settings.divergence.temperature
                target = F.softmax(
                    self.logits(queries[name], keys[name], entry).detach() / temperature, dim=1
                )
                log_prob = F.log_softmax(self.logits(q, keys[name], entry) / temperature, dim=1)
                divergences.append(-torch.mean(torch.sum(target * log_prob, dim=1)))
            losses[f'loss_d3m_{name}'] = sum(divergences) / 2
        return losses

    @torch.no_grad()
    def update_memory(self) -> None:
        """Momentum and queue, one tensor after another."""
        for name in self.query:
            for key, query in zip(self.key[name].parameters(), self.query[name].parameters()):
                momentum = self.settings.momentum
                key.data = key.data * momentum + query.data * (1 - momentum)
        size = self.settings.bank.size
        rows = len(next(iter(self.kept.values())))
        for name, values in self.kept.items():
            index = (torch.arange(rows, device=values.device) + self.pointer) % size
            self.queue[name][index] = values
        self.pointer = (self.pointer + rows) % size
        self.filled = min(self.filled + rows, size)
