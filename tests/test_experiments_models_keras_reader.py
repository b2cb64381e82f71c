"""Networks of Keras against numpy: configuration and weights of both formats, channels last."""

import json
import os
import sys

import numpy as np
import pytest
import torch

from experiments.models.keras.config import read_configuration
from experiments.models.keras.contents import snake
from experiments.models.keras.reader import read_keras
from experiments.models.registry import load_model
from optimize import LayerReader, exact_layer, other_layers, relu_layers
from polytope.errors import CollisionError, FileFormatError, InputError
from tests.examples.keras_files import (
    conv,
    functional,
    layer,
    newer,
    norm,
    older,
    pool,
    sequential,
)

h5py = pytest.importorskip("h5py")
RNG = np.random.default_rng(0)


def draw(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def statistics(channels):
    return [draw(channels), draw(channels), draw(channels), np.abs(draw(channels)) + 0.5]


CONV, NORM, FC1, FC2 = (
    [draw(3, 2, 2, 4), draw(4)],
    statistics(4),
    [draw(16, 5), draw(5)],
    [draw(5, 3), draw(3)],
)
SHAPE = (7, 6, 2)
LAYERS = [
    layer("Conv2D", "c/1", CONV, kernel_size=[3, 2], strides=[2, 2], padding="same", filters=4),
    layer("BatchNormalization", "bn", NORM, axis=[3], epsilon=1e-3),
    layer("Activation", "act", activation="relu"),
    layer("MaxPooling2D", "pool", pool_size=[2, 2], strides=None, padding="same"),
    layer("Flatten", "flat"),
    layer("Dropout", "drop", rate=0.5),
    layer("Dense", "fc1", FC1, activation="relu"),
    layer("Dense", "fc2", FC2, activation="softmax"),
]
PLACES = ["conv2d", "batch_normalization", "activation", "max_pooling2d", "flatten", "dropout"]
PLACES += ["dense", "dense_1"]


def evaluate(x):
    """Pre-activations of the ReLUs, and the output."""
    first = norm(conv(x, *CONV, (2, 2), "same"), NORM, 1e-3)
    flat = pool(np.maximum(first, 0), (2, 2), (2, 2), "same").ravel()
    second = flat @ FC1[0] + FC1[1]
    third = np.maximum(second, 0) @ FC2[0] + FC2[1]
    return first, second, np.exp(third) / np.exp(third).sum()


def test_a_network_of_layers_one_after_the_other(tmp_path):
    config = sequential(LAYERS, SHAPE)
    files = {
        "net.h5": older(LAYERS, config),
        "net.keras": newer(LAYERS, config, PLACES),
        "older.keras": newer(LAYERS, config, PLACES, stated=False),
    }
    (tmp_path / "net.json").write_text(json.dumps(config))
    (tmp_path / "net_weights.h5").write_bytes(older(LAYERS, None))
    x = draw(*SHAPE)
    for name, data in [*files.items(), ("net.json", None)]:
        path, beside = tmp_path / name, tmp_path / "net_weights.h5"
        if data is not None:
            path.write_bytes(data)
        loaded = load_model(str(path), None if data is not None else beside)
        assert loaded.input_shape == SHAPE
        assert loaded.source == str(path if data is not None else beside)
        found = loaded.module(torch.tensor(x)[None])[0].numpy()
        np.testing.assert_allclose(found, evaluate(x)[-1], rtol=1e-5)
        assert [each.name for each in relu_layers(loaded.module, SHAPE)] == ["c_1", "fc1"]
        assert [each.name for each in other_layers(loaded.module)] == ["fc2"]
        for layer_name, wanted in zip(("c_1", "fc1"), evaluate(x), strict=False):
            pre = LayerReader(loaded.module, layer_name).pre_activation(torch.tensor(x)[None])
            wanted = np.moveaxis(wanted, -1, 0) if wanted.ndim == 3 else wanted
            np.testing.assert_allclose(pre.numpy().ravel(), wanted.ravel(), atol=1e-5)


def test_zeros_of_same_padding_are_no_inputs(tmp_path):
    """More zeros stand behind than in front: of 4 x 4 pixels with stride 2, only there."""
    layers = [layer("Conv2D", "c", [draw(3, 3, 1, 2), draw(2)], strides=2, padding="same")]
    layers.append(layer("ReLU", "r"))
    (tmp_path / "net.h5").write_bytes(older(layers, sequential(layers, (4, 4, 1))))
    model = load_model(str(tmp_path / "net.h5")).module
    (found,) = relu_layers(model, (4, 4, 1))
    assert (found.n_inputs, found.n_units) == (16, 8)
    assert exact_layer(model, "c", (4, 4, 1)).weight.shape == (8, 16)
    x = draw(4, 4, 1)
    wanted = conv(x, *layers[0]["weights"], (2, 2), "same")
    pre = LayerReader(model, "c").pre_activation(torch.tensor(x)[None])[0].numpy()
    np.testing.assert_allclose(pre.reshape(2, 2, 2), np.moveaxis(wanted, -1, 0), atol=1e-5)


@pytest.mark.parametrize("as_newer", [True, False])
def test_a_graph_with_branches(tmp_path, as_newer):
    a, b, out = [draw(1, 1, 3, 4), draw(4)], [draw(3, 3, 4, 4), draw(4)], [draw(8, 2)]
    shape = (5, 4, 3)
    layers = [
        layer("Conv2D", "a", a, activation="relu"),
        layer("Conv2D", "b", b, padding="same", use_bias=True),
        layer("Add", "sum"),
        layer("ReLU", "r", max_value=None, negative_slope=0.0, threshold=0.0),
        layer("AveragePooling2D", "mean", pool_size=[3, 3], strides=[1, 1], padding="same"),
        layer("GlobalMaxPooling2D", "g"),
        layer("GlobalAveragePooling2D", "h"),
        layer("Concatenate", "both", axis=-1),
        layer("Dense", "out", out, use_bias=False),
    ]
    inputs = {"a": ["input"], "b": ["a"], "sum": ["a", "b"], "r": ["sum"], "mean": ["r"]}
    inputs |= {"g": ["mean"], "h": ["r"], "both": ["g", "h"], "out": ["both"]}
    config = functional(layers, shape, inputs, newer=as_newer)
    (tmp_path / "net.h5").write_bytes(older(layers, config))
    loaded = load_model(str(tmp_path / "net.h5"))
    x = draw(*shape)
    first = np.maximum(conv(x, *a), 0)
    both = np.maximum(first + conv(first, *b, (1, 1), "same"), 0)
    wanted = [pool(both, (3, 3), (1, 1), "same", mean=True).max((0, 1)), both.mean((0, 1))]
    found = loaded.module(torch.tensor(x)[None])[0].numpy()
    np.testing.assert_allclose(found, np.concatenate(wanted) @ out[0], rtol=1e-4, atol=1e-5)
    assert "a" in [
        each.name for each in (*relu_layers(loaded.module, shape), *other_layers(loaded.module))
    ]


POOLS = [(2, 1), (3, 2), (2, 2), (3, 1), (3, 3), (4, 1), (4, 3)]


@pytest.mark.parametrize("sizes", POOLS)
@pytest.mark.parametrize("kind", ["MaxPooling2D", "AveragePooling2D"])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_pools_of_every_border(tmp_path, sizes, kind, padding):
    extent, stride = sizes
    x = draw(8, 7, 2) - 3  # negative: a zero would be a maximum
    options = {"pool_size": [extent, extent], "strides": [stride, stride], "padding": padding}
    layers = [layer(kind, "pool", **options)]
    (tmp_path / "net.h5").write_bytes(older(layers, sequential(layers, x.shape)))
    found = load_model(str(tmp_path / "net.h5")).module(torch.tensor(x)[None])[0].numpy()
    mean = kind.startswith("Average")
    wanted = pool(x, (extent, extent), (stride, stride), padding, mean=mean)
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def one(tmp_path, made, shape, x):
    """What a network of one layer makes of x."""
    path = tmp_path / "net.h5"
    path.write_bytes(older([made], sequential([made], shape)))
    return read_keras(path).module(torch.tensor(x)[None])[0].numpy()


def test_layers_one_by_one(tmp_path):
    x, image = draw(6, 2), draw(4, 5, 2)
    kernel = draw(3, 2, 4)
    causal = np.pad(x, [(2, 0), (0, 0)])
    wanted = np.array([np.tensordot(causal[i : i + 3], kernel, 2) for i in range(6)])
    made = layer("Conv1D", "c", [kernel], padding="causal", use_bias=False)
    np.testing.assert_allclose(one(tmp_path, made, (6, 2), x), wanted, atol=1e-5)
    depthwise = draw(2, 2, 2, 3)
    spread = np.zeros((2, 2, 2, 6), np.float32)
    for channel in range(2):
        spread[:, :, channel, 3 * channel : 3 * channel + 3] = depthwise[:, :, channel]
    made = layer("DepthwiseConv2D", "d", [depthwise, np.zeros(6, np.float32)])
    found = one(tmp_path, made, (4, 5, 2), image)
    np.testing.assert_allclose(found, conv(image, spread, 0), atol=1e-5)
    made = layer("ZeroPadding2D", "z", padding=[[0, 1], [2, 0]])
    wanted = np.pad(image, [(0, 1), (2, 0), (0, 0)])
    np.testing.assert_array_equal(one(tmp_path, made, (4, 5, 2), image), wanted)
    made = layer("Permute", "p", dims=[3, 1, 2])
    wanted = image.transpose(2, 0, 1)
    np.testing.assert_array_equal(one(tmp_path, made, (4, 5, 2), image), wanted)
    made = layer("Reshape", "s", target_shape=[5, -1])
    np.testing.assert_array_equal(one(tmp_path, made, (4, 5, 2), image), image.reshape(5, -1))
    made = layer("Rescaling", "e", scale=0.5, offset=-1.0)
    np.testing.assert_array_equal(one(tmp_path, made, (6, 2), x), x * np.float32(0.5) - 1)
    mean, variance = draw(2), np.abs(draw(2))
    made = layer("Normalization", "n", [mean, variance, np.array(7)], axis=[-1])
    wanted = (x - mean) / np.sqrt(variance)
    np.testing.assert_allclose(one(tmp_path, made, (6, 2), x), wanted, rtol=1e-5)
    made = layer("LeakyReLU", "l", alpha={"class_name": "__numpy__", "value": 0.25})
    np.testing.assert_allclose(one(tmp_path, made, (6, 2), x), np.where(x > 0, x, x / 4))
    made = layer("Dense", "w", [draw(2, 3), draw(3)], activation="linear")
    wanted = x @ made["weights"][0] + made["weights"][1]
    np.testing.assert_allclose(one(tmp_path, made, (6, 2), x), wanted, atol=1e-5)


DENSE = layer("Dense", "fc", [draw(3, 2), draw(2)])


@pytest.mark.parametrize(
    ("made", "error", "message"),
    [
        (layer("QDense", "fc"), InputError, "of classes known here, got 'fc' of class 'QDense'"),
        (
            layer("Dense", "fc", activation="mine"),
            FileFormatError,
            r"weights of 2, 1 axes, got none",
        ),
        (layer("Activation", "a", activation="mine"), InputError, r"activation among .*got 'mine'"),
        (layer("Dense", "fc", [draw(4, 2), draw(2)]), FileFormatError, "expected shapes that fit"),
        (layer("MaxPooling2D", "p", border_mode="same"), InputError, "got border_mode, of Keras 1"),
        (layer("ReLU", "r", threshold=1.0), InputError, "from 0 on, got None, 1.0"),
        (layer("Permute", "p", dims=[2]), InputError, r"every axis once, got \[2\]"),
        (layer("Reshape", "s", target_shape=[7]), InputError, r"a shape of 3 numbers, got \[7\]"),
        (layer("Reshape", "s"), FileFormatError, "a configuration as Keras writes it"),
        (layer("Flatten", "f", data_format="channels_first"), InputError, "got channels_first"),
        (layer("Conv2D", "c", DENSE["weights"]), InputError, "an input of 2 axes and channels"),
        (layer("BatchNormalization", "b", axis=[0]), InputError, "the channels as axis"),
    ],
)
def test_what_is_not_known_is_named(tmp_path, made, error, message):
    path = tmp_path / "net.h5"
    path.write_bytes(older([made], sequential([made], (3,))))
    with pytest.raises(error, match=message) as caught:
        load_model(str(path))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("{}", FileFormatError, "a configuration as Keras writes it"),
        ("[" * 5000, FileFormatError, "a configuration as Keras writes it"),
        (
            '{"class_name": "Mine", "config": {}}',
            InputError,
            "got class 'Mine', whose forward pass",
        ),
        ('{"class_name": "Sequential", "config": []}', InputError, "the shape of the input"),
        (json.dumps(sequential([], (None, 3))), InputError, "an input of known sizes"),
        (json.dumps(sequential([DENSE, DENSE], (3,))), FileFormatError, "got 'fc' twice"),
        (
            json.dumps(functional([DENSE], (3,), {"fc": ["absent"]}, newer=True)),
            FileFormatError,
            "a graph without circles, got one around 'fc'",
        ),
    ],
)
def test_configurations_that_are_none(tmp_path, text, error, message):
    (tmp_path / "net.json").write_text(text)
    (tmp_path / "w.h5").write_bytes(older([DENSE], None))
    with pytest.raises(error, match=message):
        load_model(str(tmp_path / "net.json"), tmp_path / "w.h5")


def test_where_the_weights_are(tmp_path):
    config = sequential([DENSE], (3,))
    (tmp_path / "net.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match=r"weights: expected a file beside .*net\.json"):
        load_model(str(tmp_path / "net.json"))
    (tmp_path / "w.h5").write_bytes(older([DENSE], None))
    with pytest.raises(InputError, match=r"got weights alone; give the network's \.json"):
        load_model(str(tmp_path / "w.h5"))
    (tmp_path / "net.keras").write_bytes(newer([DENSE], config, ["dense_7"]))
    with pytest.raises(FileFormatError, match=r"layer 'fc' .*weights of 2, 1 axes, got none"):
        load_model(str(tmp_path / "net.keras"))
    other = newer([layer("Dense", "other", DENSE["weights"])], config, ["dense"])
    (tmp_path / "net.keras").write_bytes(other)
    with pytest.raises(FileFormatError, match=r"of layer 'fc' at 'dense', got those of 'other'"):
        load_model(str(tmp_path / "net.keras"))


def test_what_an_hdf5_file_may_not_hold(tmp_path):
    config, path = sequential([DENSE], (3,)), tmp_path / "net.h5"
    secret = tmp_path / "secret.h5"
    secret.write_bytes(older([DENSE], None))

    def spoiled(spoil):
        path.write_bytes(older([DENSE], config))
        with h5py.File(path, "r+") as file:
            group = file["model_weights/fc/fc"]
            del group["array_0:0"]
            spoil(group)
        with pytest.raises(FileFormatError) as caught:
            load_model(str(path))
        return str(caught.value)

    outside = h5py.ExternalLink(str(secret), "/fc/fc/array_0:0")
    assert "got a link at" in spoiled(lambda g: g.__setitem__("array_0:0", outside))
    assert "got a link at" in spoiled(lambda g: g.__setitem__("array_0:0", h5py.SoftLink("/a")))

    def external(group):
        group.create_dataset("array_0:0", (3, 2), "f4", external=[(str(secret), 0, 24)])

    assert "kept otherwise" in spoiled(external)

    def virtual(group):
        layout = h5py.VirtualLayout((3, 2), "f4")
        layout[...] = h5py.VirtualSource(str(secret), "/fc/fc/array_0:0", (3, 2))
        group.create_virtual_dataset("array_0:0", layout)

    assert "kept otherwise" in spoiled(virtual)

    def bomb(group):
        group.create_dataset("array_0:0", (1 << 20, 1 << 10), "f4", chunks=(1024, 1024))

    assert "that declares 4,294,967,296" in spoiled(bomb)
    assert "got object" in spoiled(lambda g: g.create_dataset("array_0:0", data=["words"]))
    assert "expected an array at" in spoiled(lambda g: g.create_group("array_0:0"))
    assert "lzf" not in spoiled(
        lambda g: g.create_dataset("array_0:0", data=np.zeros((3, 2)), compression="lzf")
    )


@pytest.mark.parametrize("kind", ["h5", "keras"])
def test_a_file_cut_anywhere_is_refused(tmp_path, kind):
    config = sequential([DENSE], (3,))
    whole = older([DENSE], config) if kind == "h5" else newer([DENSE], config, ["dense"])
    path = tmp_path / f"net.{kind}"
    for size in range(0, len(whole) - 1, len(whole) // 12):
        path.write_bytes(whole[:size])
        with pytest.raises(FileFormatError):
            load_model(str(path))


def test_damaged_files_are_one_sentence_each(tmp_path):
    config, rng, path = sequential([DENSE], (3,)), np.random.default_rng(3), tmp_path / "net.h5"
    whole = np.frombuffer(older([DENSE], config), np.uint8)
    refused = []
    for _ in range(20):
        data = whole.copy()
        data[rng.integers(0, len(data), 9)] = rng.integers(0, 256, 9)
        path.write_bytes(data.tobytes())
        try:
            load_model(str(path))
        except CollisionError as problem:
            refused.append(str(problem))
    assert len(refused) > 2
    assert not any("\n" in sentence for sentence in refused)


def test_what_the_program_says_of_a_file(tmp_path):
    from experiments.models.keras import hdf5  # imports h5py

    path = tmp_path / "net.h5"
    path.write_bytes(older([DENSE, layer("Flatten", "f")], sequential([DENSE], (3,))))
    with h5py.File(path) as file:
        reader = hdf5.Reader(file, 200)
        found = reader.contents()
        assert found["layers"] == {"fc": [0, 1], "f": []}
        assert json.loads(found["text"])["class_name"] == "Sequential"
        np.testing.assert_array_equal(reader.arrays[0], DENSE["weights"][0])
        with pytest.raises(hdf5.Unfit, match="expected an array at 'absent', got none"):
            reader.array(file, "absent")


def test_a_crash_of_the_library_is_an_error_of_the_file(tmp_path, monkeypatch):
    path = tmp_path / "net.h5"
    path.write_bytes(older([DENSE], sequential([DENSE], (3,))))
    program = tmp_path / "hdf5.py"
    program.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    monkeypatch.setattr("experiments.models.keras.contents.PROGRAM", program)
    with pytest.raises(FileFormatError, match=r"on which the HDF5 library ended with code -11"):
        load_model(str(path))


def test_without_h5py_the_extra_is_named(tmp_path, monkeypatch):
    path = tmp_path / "net.h5"
    path.write_bytes(older([DENSE], sequential([DENSE], (3,))))
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(InputError, match=r"install the extra `keras`: pip install 'collision-pol"):
        load_model(str(path))


def test_names_of_classes_and_places():
    assert [snake(k) for k in ("InputLayer", "PReLU", "Conv2DTranspose", "ELU")] == [
        "input_layer",
        "p_re_lu",
        "conv2d_transpose",
        "elu",
    ]
    found = read_configuration(json.dumps(sequential(LAYERS, SHAPE)), os.devnull)
    assert [call.layer for call in found.calls][:2] == ["input", "c/1"]
    assert found.outputs == (("fc2", 0, 0),)
