"""The network of bench/mobilenet.ts in PyTorch, one thread: seconds of the best training step, as JSON.

    python3 bench/torch_train.py BATCH SECONDS < description.json

The description has stem, stages, head and classes; both memory layouts are tried and the faster one counts.
"""
import json
import sys
import time

import torch
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(1)


def convolution(inputs, outputs, kernel, stride=1, groups=1, active=True):
    layers = [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(outputs)]
    return layers + [nn.ReLU6(inplace=True)] if active else layers


class InvertedResidual(nn.Module):
    def __init__(self, inputs, expansion, outputs, stride):
        super().__init__()
        wide = inputs * expansion
        layers = convolution(inputs, wide, 1) if expansion > 1 else []
        layers += convolution(wide, wide, 3, stride, wide) + convolution(wide, outputs, 1, active=False)
        self.layers = nn.Sequential(*layers)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.layers(x) if self.adds else self.layers(x)


def network(description):
    channels = description["stem"]["channels"]
    layers = convolution(3, channels, 3, description["stem"]["stride"])
    for expansion, outputs, blocks, stride in description["stages"]:
        for block in range(blocks):
            layers.append(InvertedResidual(channels, expansion, outputs, stride if block == 0 else 1))
            channels = outputs
    layers += convolution(channels, description["head"], 1)
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(description["head"], description["classes"])]
    return nn.Sequential(*layers)


def best_step(description, batch, seconds, layout):
    net = network(description).to(memory_format=layout).train()
    image = torch.rand(batch, 3, 32, 32).contiguous(memory_format=layout) * 2 - 1
    labels = torch.arange(batch) % description["classes"]
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    loss = nn.CrossEntropyLoss()
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        loss(net(image), labels).backward()
        optimizer.step()
        best = min(best, time.perf_counter() - start)
    return best


description, batch, seconds = json.load(sys.stdin), int(sys.argv[1]), float(sys.argv[2])
layouts = (torch.contiguous_format, torch.channels_last)
print(json.dumps({
    "version": torch.__version__,
    "seconds": min(best_step(description, batch, seconds, layout) for layout in layouts),
}))
