import numpy as np
import pytest
import torch

from experiments.models.preprocess import caffe_step, channel_affine, torchvision_step
from experiments.models.vgg16 import (
    FC6,
    PARAMETERS,
    VGG16,
    Shape,
    check_side,
    empty_vgg16,
    random_vgg16,
)
from optimize import relu_layers
from polytope.errors import InputError

# Simonyan & Zisserman 2015, configuration D: output channels; maps before each pooling.
CONVOLUTIONS = [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]
PLACES = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]
SIDES = [224, 224, 112, 112, 56, 56, 56, 28, 28, 28, 14, 14, 14]
NARROW = Shape(channels=(2, 3, 4, 5, 6), hidden=7, classes=3)


def test_parameters_and_names_are_the_published_ones():
    state = empty_vgg16().state_dict()
    assert sum(value.numel() for value in state.values()) == PARAMETERS == 138_357_544
    names = [f"features.{place}" for place in PLACES] + [f"classifier.{k}" for k in (0, 3, 6)]
    assert list(state) == [f"{name}.{part}" for name in names for part in ("weight", "bias")]
    for place, before, after in zip(PLACES, [3, *CONVOLUTIONS], CONVOLUTIONS, strict=False):
        assert state[f"features.{place}.weight"].shape == (after, before, 3, 3)
    assert state["classifier.0.weight"].shape == (4096, 25088)
    assert state["classifier.3.weight"].shape == (4096, 4096)
    assert state["classifier.6.weight"].shape == (1000, 4096)


def test_every_layer_has_the_published_shape():
    model = empty_vgg16().eval()
    shapes = {}
    for name, module in model.named_modules():
        module.register_forward_hook(
            lambda _m, _i, out, name=name: shapes.__setitem__(name, tuple(out.shape[1:]))
        )
    out = model(torch.empty((1, 3, 224, 224), device="meta"))
    assert out.shape == (1, 1000)
    for place, channels, side in zip(PLACES, CONVOLUTIONS, SIDES, strict=True):
        assert shapes[f"features.{place}"] == (channels, side, side)
    assert shapes["features.30"] == shapes["avgpool"] == (512, 7, 7)  # pool5
    assert shapes[FC6] == (4096,)


def test_at_full_size_the_average_pooling_changes_nothing():
    model = VGG16(NARROW).eval()
    maps = torch.rand((1, 6, 7, 7), generator=torch.Generator().manual_seed(0))
    assert torch.equal(model.avgpool(maps), maps)


def test_the_layers_that_a_search_can_take():
    model = random_vgg16(0, NARROW)
    model.preprocess = torchvision_step()
    layers = relu_layers(model, (3, 64, 64))
    names = [f"features.{place}" for place in PLACES] + ["classifier.0", "classifier.3"]
    assert [layer.name for layer in layers] == names
    fc6 = next(layer for layer in layers if layer.name == FC6)
    assert (fc6.n_inputs, fc6.n_units) == (6 * 49, 7)


def test_random_weights_belong_to_their_seed_and_leave_the_global_state_alone():
    before = torch.random.get_rng_state()
    one, two, other = random_vgg16(0, NARROW), random_vgg16(0, NARROW), random_vgg16(1, NARROW)
    assert torch.equal(before, torch.random.get_rng_state())
    for name, value in one.state_dict().items():
        assert torch.equal(value, two.state_dict()[name])
    assert not torch.equal(one.features[0].weight, other.features[0].weight)


@pytest.mark.parametrize("side", [31, 5000])
def test_sides_that_the_network_cannot_take(side):
    with pytest.raises(InputError, match=f"image-size: .*got {side}"):
        check_side(side)
    assert random_vgg16(0, NARROW)(torch.rand(1, 3, 32, 32)).shape == (1, 3)


def test_preprocessing_of_both_sources():
    image = torch.from_numpy(np.random.default_rng(0).uniform(0, 255, (2, 3, 4, 4))).float()
    mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
    deviation = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    wanted = (image / 255 - mean) / deviation
    assert torch.allclose(torchvision_step()(image), wanted, atol=1e-5)
    shifted = image - torch.tensor([123.68, 116.779, 103.939]).view(3, 1, 1)
    assert torch.equal(caffe_step()(image), shifted)


def test_preprocessing_can_swap_colours():
    step = channel_affine([1, 2, 3], [4, 5, 6], order=(2, 1, 0))
    pixel = torch.tensor([10.0, 20.0, 30.0]).view(1, 3, 1, 1)
    assert step(pixel).flatten().tolist() == [34, 45, 36]
