"""Golden gradients from PyTorch for test/autodiff/golden.test.ts:

    python3 tools/torch-gradients.py > test/golden-data/torch-gradients.json

Two small networks, described there once more with the layers of Rivulet. Weights are written as Rivulet has them
([out, height, width, in]), images as [batch, height, width, channels]; numbers are float32 in full.
"""
import json

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(20)
torch.set_num_threads(1)


def numbers(tensor):
    """As few digits as tell every float32 from its neighbours."""
    return [float(f"{float(x):.9g}") for x in tensor.detach().reshape(-1)]


def filters(weights):
    """[out, in / groups, h, w] -> [out, h, w, in / groups]; depthwise [channels, 1, h, w] -> [1, h, w, channels]."""
    depthwise = weights.dim() == 4 and weights.shape[1] == 1 and weights.shape[0] > 1
    return weights.permute(1, 2, 3, 0) if depthwise else weights.permute(0, 2, 3, 1) if weights.dim() == 4 else weights


def uniform(*shape):
    return (torch.rand(*shape) * 2 - 1).requires_grad_()


class Recorder:
    """Parameters under the names that Rivulet's network gives them."""

    def __init__(self):
        self.parameters = {}

    def add(self, name, tensor):
        self.parameters[name] = tensor
        return tensor

    def values(self):
        return {name: numbers(filters(p)) for name, p in self.parameters.items()}

    def gradients(self):
        return {name: numbers(filters(p.grad)) for name, p in self.parameters.items()}


def residual(smoothing=0, nesterov=False, spared=False):
    """conv + norm + ReLU6, inverted residual, mean, dense; three steps of SGD with momentum; `spared`: vectors do not decay."""
    record = Recorder()

    def norm(name, channels):
        return (record.add(f"{name}/gamma", uniform(channels)), record.add(f"{name}/beta", uniform(channels)),
                torch.zeros(channels), torch.ones(channels))

    stem, stem_norm = record.add("stem/weights", uniform(8, 3, 3, 3)), norm("stem", 8)
    wide, wide_norm = record.add("expand/weights", uniform(24, 8, 1, 1)), norm("expand", 24)
    deep, deep_norm = record.add("deep/weights", uniform(24, 1, 3, 3)), norm("deep", 24)
    narrow, narrow_norm = record.add("project/weights", uniform(8, 24, 1, 1)), norm("project", 8)
    dense = record.add("classifier/weights", uniform(5, 8))
    bias = record.add("classifier/bias", uniform(5))

    def normalised(x, parameters, clamp=True):
        gamma, beta, mean, variance = parameters
        y = F.batch_norm(x, mean, variance, gamma, beta, training=True, momentum=0, eps=1e-5)
        return F.hardtanh(y, 0, 6) if clamp else y

    def forward(x, labels):
        x = normalised(F.conv2d(x, stem, stride=2, padding=1), stem_norm)
        y = normalised(F.conv2d(x, wide), wide_norm)
        y = normalised(F.conv2d(y, deep, padding=1, groups=24), deep_norm)
        x = x + normalised(F.conv2d(y, narrow), narrow_norm, clamp=False)
        return F.cross_entropy(F.linear(x.mean((2, 3)), dense, bias), labels, label_smoothing=smoothing)

    image = uniform(4, 3, 8, 8)
    labels = torch.tensor([0, 3, 4, 1])
    result = {"image": numbers(image.permute(0, 2, 3, 1)), "labels": labels.tolist(), "parameters": record.values()}
    groups = [{"params": [p], "weight_decay": 0 if spared and p.dim() == 1 else 0.001} for p in record.parameters.values()]
    optimizer = torch.optim.SGD(groups, lr=0.05, momentum=0.9, nesterov=nesterov)
    losses = []
    for step in range(3):
        optimizer.zero_grad()
        image.grad = None
        loss = forward(image, labels)
        loss.backward()
        losses.append(float(loss))
        if step == 0:
            result["gradients"] = {**record.gradients(), "image": numbers(image.grad.permute(0, 2, 3, 1))}
        optimizer.step()
    return {**result, "losses": losses, "trained": record.values()}


def activations():
    """Convolutions with biases and groups, pools, and every activation; Adam."""
    record = Recorder()
    first, first_bias = record.add("first/weights", uniform(6, 3, 3, 3)), record.add("first/bias", uniform(6))
    second, second_bias = record.add("second/weights", uniform(4, 3, 3, 3)), record.add("second/bias", uniform(4))
    slope = record.add("slope", uniform(4))
    dense, dense_bias = record.add("classifier/weights", uniform(5, 4)), record.add("classifier/bias", uniform(5))

    def forward(x, labels):
        x = F.hardswish(F.conv2d(x, first, first_bias, padding=1) * 2)
        x = F.max_pool2d(x, 2)
        x = F.prelu(F.conv2d(x, second, second_bias, groups=2, padding=1), slope)
        x = F.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)
        x = torch.tanh(x) * torch.sigmoid(x) + F.leaky_relu(x, 0.1)
        x = F.interpolate(x, size=(5, 6), mode="bilinear", align_corners=False)
        x = F.softmax(x.permute(0, 2, 3, 1), dim=3)
        return F.cross_entropy(F.linear(x.mean((1, 2)), dense, dense_bias), labels)

    image = uniform(3, 3, 8, 10)
    labels = torch.tensor([2, 0, 4])
    result = {"image": numbers(image.permute(0, 2, 3, 1)), "labels": labels.tolist(), "parameters": record.values()}
    optimizer = torch.optim.Adam(record.parameters.values(), lr=0.01)
    losses = []
    for step in range(3):
        optimizer.zero_grad()
        image.grad = None
        loss = forward(image, labels)
        loss.backward()
        losses.append(float(loss))
        if step == 0:
            result["gradients"] = {**record.gradients(), "image": numbers(image.grad.permute(0, 2, 3, 1))}
        optimizer.step()
    return {**result, "losses": losses, "trained": record.values()}


golden = {"residual": residual(), "activations": activations()}
golden["recipe"] = residual(smoothing=0.1, nesterov=True, spared=True)
print(json.dumps(golden))
