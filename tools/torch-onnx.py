"""Makes test/golden-data/onnx/NAME.onnx and NAME.json, ONNX files of PyTorch's exporter with inputs and outputs.

Usage: python3 tools/torch-onnx.py    (PyTorch 1.13; needs no package onnx)
"""

import json
import os
import torch
from torch import nn

torch.manual_seed(1)
FOLDER = os.path.join(os.path.dirname(__file__), "..", "test", "golden-data", "onnx")


def block(inputs, outputs, kernel, stride=1, groups=1, act=nn.ReLU6):
    layers = [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(outputs)]
    return nn.Sequential(*layers, *([act()] if act else []))


class Residual(nn.Module):
    """Inverted residuals, global mean, dense layer: every batch normalisation has its own moments."""

    def __init__(self):
        super().__init__()
        self.stem = block(3, 8, 3, 2)
        self.expand, self.deep, self.project = block(8, 16, 1), block(16, 16, 3, 1, 16), block(16, 8, 1, act=None)
        self.scores = nn.Linear(8, 5)

    def forward(self, x):
        x = self.stem(x)
        x = x + self.project(self.deep(self.expand(x)))
        return self.scores(x.mean((2, 3)))


class Flattened(nn.Module):
    """A flattened picture: the dense layer's weights are in the order channels, rows, columns."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 5, padding=(2, 1))
        self.dense = nn.Linear(4 * 4 * 3, 12)
        self.scores = nn.Linear(12, 3)

    def forward(self, x):
        x = nn.functional.max_pool2d(torch.relu(self.conv(x)), 2)
        x = torch.tanh(self.dense(torch.flatten(x, 1)))
        return torch.softmax(self.scores(x), 1)


class Joined(nn.Module):
    """Branches joined by channel, pooled with padding, resized, gated, transposed convolution."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(2, 3, 3, padding=1, dilation=1), nn.Conv2d(2, 5, 1)
        self.up = nn.ConvTranspose2d(8, 4, 2, 2)
        self.gate = nn.Conv2d(4, 4, 1)

    def forward(self, x):
        y = torch.cat([nn.functional.leaky_relu(self.a(x), 0.1), nn.functional.hardswish(self.b(x))], 1)
        y = nn.functional.avg_pool2d(y, 3, 2, 1, count_include_pad=False)
        y = self.up(y)
        y = y * torch.sigmoid(self.gate(nn.functional.adaptive_avg_pool2d(y, 1)))
        y = nn.functional.interpolate(y, scale_factor=2, mode="nearest")
        return nn.functional.pad(y, (1, 0, 2, 1))


class FakeQuantised(nn.Module):
    """Scales on every activation and by channel on weights: what quantisation-aware training exports as QDQ."""

    def __init__(self):
        super().__init__()
        self.stem, self.deep = nn.Conv2d(2, 4, 3, 2, 1, bias=False), nn.Conv2d(4, 4, 3, 1, 1, groups=4, bias=False)
        self.scores = nn.Linear(4, 3, bias=False)

        for name, layer in list(self.named_children()):
            w = layer.weight.detach()
            self.register_buffer(name + "_scales", w.abs().amax(tuple(range(1, w.dim()))) / 127)

    def weights(self, name):
        scales = getattr(self, name + "_scales")
        zeros = torch.zeros(scales.shape, dtype=torch.int32)
        return torch.fake_quantize_per_channel_affine(getattr(self, name).weight, scales, zeros, 0, -128, 127)

    def forward(self, x):
        quantised = lambda x, scale, zero: torch.fake_quantize_per_tensor_affine(x, scale, zero, 0, 255)
        x = quantised(x, 1 / 127.5, 128)
        y = torch.relu(nn.functional.conv2d(x, self.weights("stem"), None, 2, 1))
        y = quantised(y, 0.006, 0)
        z = quantised(nn.functional.conv2d(y, self.weights("deep"), None, 1, 1, 1, 4), 0.008, 120)
        y = quantised(nn.functional.max_pool2d(y + z, 2), 0.01, 60)
        y = quantised(y.mean((2, 3)), 0.01, 50)
        return quantised(nn.functional.linear(y, self.weights("scores")), 0.01, 130)


def export(name, model, shape, opset):
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.uniform_(-0.5, 0.5)
    model.eval()
    x = torch.rand(shape) * 2 - 1
    # Folding into convolutions is left to the importer.
    mode = torch.onnx.TrainingMode.PRESERVE
    path = os.path.join(FOLDER, name)
    torch.onnx.export(model, x, path + ".onnx", opset_version=opset, training=mode, do_constant_folding=True)
    with torch.no_grad():
        y = model(x)
    with open(path + ".json", "w") as file:
        numbers = lambda t: [float(f"{v:.7g}") for v in t.flatten().tolist()]
        json.dump({"input": {"shape": list(x.shape), "values": numbers(x)}, "output": {"shape": list(y.shape), "values": numbers(y)}}, file)
        file.write("\n")


os.makedirs(FOLDER, exist_ok=True)
export("residual", Residual(), (1, 3, 8, 8), 13)
export("flattened", Flattened(), (1, 1, 8, 8), 13)
export("joined", Joined(), (1, 2, 8, 6), 16)
export("qdq", FakeQuantised(), (1, 2, 8, 8), 13)
