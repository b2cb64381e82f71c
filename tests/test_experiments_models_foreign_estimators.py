"""Perceptrons of scikit-learn against its own predictions; archives of skops are data alone."""

import io
import json
import pickle
import warnings
import zipfile

import numpy as np
import pytest
import torch

from experiments.models.foreign.estimators import from_estimator, is_estimator, read_skops
from experiments.models.registry import load_model
from optimize import relu_layers
from polytope.errors import FileFormatError, InputError

pytest.importorskip("sklearn", reason="needs the extra digits")
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 4))
BINARY, THREE = (X[:, 0] > 0).astype(int), RNG.integers(0, 3, 50)


def fitted(estimator, y, x=X):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a few steps are enough
        return estimator.fit(x, y)


def perceptron(kind=MLPClassifier, **options):
    return kind(**{"hidden_layer_sizes": (5, 3), "max_iter": 5, "random_state": 0, **options})


ESTIMATORS = {
    "softmax": lambda: fitted(perceptron(), THREE),
    "logistic": lambda: fitted(perceptron(), BINARY),
    "regression": lambda: fitted(perceptron(MLPRegressor), X[:, :2]),
    "tanh": lambda: fitted(perceptron(activation="tanh"), THREE),
    "float32": lambda: fitted(perceptron(MLPRegressor), X[:, 1].astype("f4"), X.astype("f4")),
    "standard": lambda: fitted(make_pipeline(StandardScaler(), perceptron()), THREE),
    "no mean": lambda: fitted(make_pipeline(StandardScaler(with_mean=False), perceptron()), THREE),
    "no scale": lambda: fitted(make_pipeline(StandardScaler(with_std=False), perceptron()), THREE),
    "no middle": lambda: fitted(
        make_pipeline(RobustScaler(with_centering=False), perceptron()), THREE
    ),
    "range": lambda: fitted(make_pipeline(MinMaxScaler((-1, 2)), perceptron()), THREE),
    "both": lambda: fitted(
        make_pipeline("passthrough", MaxAbsScaler(), RobustScaler(), perceptron(MLPRegressor)), X
    ),
}


def predicted(estimator, x):
    last = estimator[-1] if hasattr(estimator, "steps") else estimator
    if isinstance(last, MLPRegressor):
        return estimator.predict(x).reshape(len(x), -1)
    found = estimator.predict_proba(x)
    return found[:, 1:] if last.n_outputs_ == 1 else found


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_estimators_predict_as_they_do(kind):
    estimator = ESTIMATORS[kind]()
    assert is_estimator(estimator)
    found = from_estimator(estimator, kind)
    assert found.input_shape == (4,)
    dtype = np.float32 if kind == "float32" else np.float64
    x = RNG.normal(size=(6, 4)).astype(dtype)
    with torch.no_grad():
        np.testing.assert_allclose(
            found.module(torch.tensor(x)).numpy(),
            predicted(estimator, x),
            rtol=1e-5 if kind == "float32" else 1e-12,
            atol=1e-6 if kind == "float32" else 1e-14,
        )
    names = [layer.name for layer in relu_layers(found.module, (4,))]
    assert names == ([] if kind == "tanh" else ["layer1", "layer2"])


def test_a_factory_may_return_one(tmp_path):
    (tmp_path / "nets.py").write_text(
        "import pickle, pathlib\n\n"
        "def net():\n"
        "    return pickle.loads((pathlib.Path(__file__).parent / 'net.pkl').read_bytes())\n"
        "def bare():\n"
        "    from sklearn.neural_network import MLPClassifier\n"
        "    return MLPClassifier()\n"
    )
    (tmp_path / "net.pkl").write_bytes(pickle.dumps(ESTIMATORS["standard"]()))
    loaded = load_model(f"{tmp_path / 'nets.py'}:net")
    assert loaded.input_shape == (4,)
    assert [layer.name for layer in relu_layers(loaded.module, (4,))] == ["layer1", "layer2"]
    with pytest.raises(InputError, match="expected a fitted MLPClassifier, got one without coefs_"):
        load_model(f"{tmp_path / 'nets.py'}:bare")


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (LogisticRegression(), "MinMaxScaler. of scikit-learn, got LogisticRegression"),
        (StandardScaler(), "got StandardScaler"),
        (make_pipeline(StandardScaler()), "got Pipeline"),
        (
            fitted(make_pipeline(MinMaxScaler(clip=True), perceptron()), THREE),
            "step 'minmaxscaler': .* got MinMaxScaler that clips",
        ),
    ],
)
def test_others_are_refused_by_name(estimator, message):
    with pytest.raises(InputError, match=message):
        from_estimator(estimator, "net")


def node(value, arrays):
    """A value as skops's schema has it; arrays are put aside."""
    place = len(arrays)
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return {
            "__loader__": "NdArrayNode",
            "type": "numpy",
            "file": f"{place}.npy",
            "__id__": place,
        }
    if isinstance(value, list | tuple):
        kind = "ListNode" if isinstance(value, list) else "TupleNode"
        return {"__loader__": kind, "content": [node(v, arrays) for v in value]}
    if isinstance(value, dict):
        return {"__loader__": "DictNode", "content": {k: node(v, arrays) for k, v in value.items()}}
    if is_estimator(value):
        kept = {
            key: each
            for key, each in vars(value).items()
            if isinstance(each, str | int | float | list | tuple | np.ndarray | None)
        }
        return {
            "__loader__": "ObjectNode",
            "__module__": type(value).__module__,
            "__class__": type(value).__name__,
            "content": node(kept, arrays),
        }
    if isinstance(value, str | int | float | None):
        return {"__loader__": "JsonNode", "content": json.dumps(value), "is_json": True}
    return {"__loader__": "ObjectNode", "__module__": "somewhere", "__class__": "Thing"}


def archive(path, estimator, change=lambda schema: schema):
    arrays = []
    schema = change(node(estimator, arrays))
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("schema.json", json.dumps(schema))
        for place, array in enumerate(arrays):
            stream = io.BytesIO()
            np.save(stream, array, allow_pickle=False)
            packed.writestr(f"{place}.npy", stream.getvalue())
    return path


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_archives_of_skops(tmp_path, kind):
    estimator = ESTIMATORS[kind]()
    path = archive(tmp_path / "net.skops", estimator)
    found, wanted = load_model(str(path)), from_estimator(estimator, kind)
    assert found.input_shape == (4,)
    theirs = wanted.module.state_dict()
    assert all(torch.equal(v, theirs[k]) for k, v in found.module.state_dict().items())
    assert [type(m) for m in found.module] == [type(m) for m in wanted.module]


def test_what_skops_itself_writes(tmp_path):
    skops = pytest.importorskip("skops.io", reason="skops is no dependency")
    path = tmp_path / "net.skops"
    skops.dump(ESTIMATORS["standard"](), path)
    theirs = from_estimator(ESTIMATORS["standard"](), "net").module.state_dict()
    found = read_skops(path).module.state_dict()
    assert all(torch.equal(v, theirs[k]) for k, v in found.items())


def deep(schema):
    for _ in range(200):
        schema = {"__loader__": "ListNode", "content": [schema]}
    return schema


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda s: {**s, "__module__": "somewhere"}, InputError, "of scikit-learn, got NoneType"),
        (lambda s: {**s, "__loader__": "OperatorFuncNode"}, InputError, "got NoneType"),
        (lambda s: {"__loader__": "JsonNode", "content": "[1"}, FileFormatError, "of skops, got"),
        (lambda s: [s], FileFormatError, "a readable archive of skops"),
        (deep, FileFormatError, "at most 64 nodes deep"),
    ],
)
def test_archives_that_are_something_else(tmp_path, change, error, message):
    path = archive(tmp_path / "net.skops", ESTIMATORS["softmax"](), change)
    with pytest.raises(error, match=message):
        read_skops(path)


def test_an_archive_cut_anywhere_is_refused(tmp_path):
    path = archive(tmp_path / "net.skops", ESTIMATORS["softmax"]())
    whole = path.read_bytes()
    for size in range(0, len(whole), 53):
        path.write_bytes(whole[:size])
        with pytest.raises(FileFormatError):
            read_skops(path)
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("words.txt", "words")
    with pytest.raises(FileFormatError, match="expected an archive of skops, got another"):
        read_skops(path)
