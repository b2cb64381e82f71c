"""How does an image become what a network was trained on?  One affine step, part of the network.

As a 1 x 1 convolution it is an ordinary affine layer: the exact side composes it like any other,
and a network's input is the image itself, values 0..255.
"""

from collections.abc import Sequence

import torch
from torch import nn

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of RGB / 255; torchvision
CAFFE_MEAN = (123.68, 116.779, 103.939)  # of RGB in 0..255; Simonyan & Zisserman's release


def channel_affine(
    scale: Sequence[float], shift: Sequence[float], *, order: Sequence[int] = (0, 1, 2)
) -> nn.Conv2d:
    """Returns the 1 x 1 convolution whose output c is scale[c] * input[order[c]] + shift[c].

    Args:
        scale: a number a channel, rounded to float32.
        shift: likewise.
        order: which input channel each output reads: (2, 1, 0) swaps RGB and BGR.
    """
    step = nn.Conv2d(len(order), len(scale), 1)
    weight = torch.zeros(len(scale), len(order), 1, 1)
    for place, (factor, source) in enumerate(zip(scale, order, strict=True)):
        weight[place, source] = factor
    step.weight.data = weight
    step.bias = nn.Parameter(torch.tensor(shift, dtype=torch.float32))
    return step.requires_grad_(False)


def torchvision_step() -> nn.Conv2d:
    """Returns RGB 0..255 -> (RGB / 255 - mean) / deviation, torchvision's normalisation."""
    scale = [1 / (255 * deviation) for deviation in DEVIATION]
    shift = [-mean / deviation for mean, deviation in zip(MEAN, DEVIATION, strict=True)]
    return channel_affine(scale, shift)


def caffe_step() -> nn.Conv2d:
    """Returns RGB 0..255 -> RGB - (123.68, 116.779, 103.939), as the TF port of VGG-16 asks."""
    return channel_affine([1.0] * 3, [-mean for mean in CAFFE_MEAN])
