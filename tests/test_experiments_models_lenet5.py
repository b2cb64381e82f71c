import numpy as np
import torch

from experiments.models.lenet5 import INPUT_SHAPE, LeNet5


def test_lenet5_has_the_sizes_of_its_paper():
    shapes = {name: tuple(value.shape) for name, value in LeNet5().state_dict().items()}
    assert shapes == {
        "conv1.weight": (6, 1, 5, 5),
        "conv1.bias": (6,),
        "conv2.weight": (16, 6, 5, 5),
        "conv2.bias": (16,),
        "fc1.weight": (120, 400),
        "fc1.bias": (120,),
        "fc2.weight": (84, 120),
        "fc2.bias": (84,),
        "output.weight": (10, 84),
        "output.bias": (10,),
    }
    assert sum(value.numel() for value in LeNet5().parameters()) == 61_706


def by_hand(model, image):
    """The forward pass by loops over places, in float64."""
    weights = {name: value.double().numpy() for name, value in model.state_dict().items()}

    def convolve(x, name):
        kernel, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
        height, width = x.shape[1] - 4, x.shape[2] - 4
        out = np.empty((len(kernel), height, width))
        for row in range(height):
            for column in range(width):
                window = x[:, row : row + 5, column : column + 5]
                out[:, row, column] = np.tensordot(kernel, window, 3) + bias
        return out

    def pool(x):
        return x.reshape(len(x), x.shape[1] // 2, 2, x.shape[2] // 2, 2).max(axis=(2, 4))

    x = np.pad(image, ((0, 0), (2, 2), (2, 2)))
    x = pool(np.maximum(convolve(x, "conv1"), 0))
    x = pool(np.maximum(convolve(x, "conv2"), 0)).reshape(-1)
    for name in ("fc1", "fc2"):
        x = np.maximum(weights[f"{name}.weight"] @ x + weights[f"{name}.bias"], 0)
    return weights["output.weight"] @ x + weights["output.bias"]


def test_lenet5_computes_what_its_weights_say():
    torch.manual_seed(0)
    model = LeNet5().eval()
    image = np.random.default_rng(0).random(INPUT_SHAPE, dtype=np.float32)
    with torch.no_grad():
        found = model(torch.from_numpy(image)[None])[0].numpy()
    assert np.allclose(found, by_hand(model, image.astype(float)), rtol=1e-4, atol=1e-5)
