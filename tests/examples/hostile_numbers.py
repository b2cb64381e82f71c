"""Numbers, arrays and shapes that nobody should hand over, and what has to come of each.

One table for the library (tests/test_polytope_hostile_numbers.py) and one for the command line
(tests/test_experiments_hostile_numbers.py): a refusal with its type and text, or an exact answer.
"""

from __future__ import annotations

import warnings
from decimal import Decimal
from fractions import Fraction
from typing import Any

import ml_dtypes
import numpy as np
import scipy.sparse
import torch

from polytope import Box, Nonnegative
from polytope.errors import DomainError, InexactError, InputError, NonFiniteError, ShapeError

F = Fraction
NAN, INF = float("nan"), float("inf")
WEIGHT = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
BIAS = np.array([0.0, -9.0], np.float32)
TARGET = np.array([1.0, 0.5], np.float32)
#: Python refuses to write ints of more digits than 4,300.
ENDLESS = 10**5000


def _object(*values: Any) -> np.ndarray:
    out = np.empty((2, 2), dtype=object)
    out.ravel()[:] = values
    return out


def _quantised() -> torch.Tensor:
    with warnings.catch_warnings():  # torch is about to drop these types
        warnings.simplefilter("ignore")
        return torch.quantize_per_tensor(torch.ones(2, 2), 0.5, 0, torch.qint8)


def _negated() -> torch.Tensor:
    """A view with torch's negative bit set: numpy alone cannot read it."""
    made = torch.complex(torch.ones(2, 2), torch.tensor(WEIGHT)).conj().imag
    assert made.is_neg()
    return made


def _unreadable() -> torch.Tensor:
    """A type without a single number in an entry."""
    return torch.zeros(2, 2, dtype=torch.uint8).view(torch.float4_e2m1fn_x2)


#: Name -> what is changed in the layer, the error, and what its one sentence says.
REFUSED: dict[str, tuple[dict[str, Any], type[InputError], str]] = {
    # ---- Not finite: argument, value and index, whatever the container
    "NaN weight": ({"weight": [[1, NAN], [3, 4]]}, NonFiniteError, r"weight\[0, 1\]: .* got nan"),
    "NaN array": (
        {"weight": np.array([[1, 2], [NAN, 4]])},
        NonFiniteError,
        r"weight: expected finite numbers, got nan at index \[1, 0\]",
    ),
    "NaN float16": (
        {"weight": np.array([[1, NAN], [3, 4]], np.float16)},
        NonFiniteError,
        r"weight: .* got nan at index \[0, 1\]",
    ),
    "infinite bfloat16 of torch": (
        {"weight": torch.tensor([[1, -INF], [3, 4]], dtype=torch.bfloat16)},
        NonFiniteError,
        r"weight: .* got -inf at index \[0, 1\]",
    ),
    "NaN float8 of torch": (
        {"weight": torch.tensor([[1, NAN], [3, 4]]).to(torch.float8_e4m3fn)},
        NonFiniteError,
        r"weight: .* got nan at index \[0, 1\]",
    ),
    "NaN bfloat16 of numpy": (
        {"weight": np.array([[1, NAN], [3, 4]]).astype(ml_dtypes.bfloat16)},
        NonFiniteError,
        r"weight: .* got nan at index \[0, 1\]",
    ),
    "NaN among objects": (
        {"weight": _object(F(1, 3), NAN, 1, 2)},
        NonFiniteError,
        r"\[0, 1\]: .*nan",
    ),
    "infinite bias": ({"bias": [0.0, INF]}, NonFiniteError, r"bias: .* got inf at index \[1\]"),
    "NaN image": ({"target": [NAN, 0.0]}, NonFiniteError, r"target: .* got nan at index \[0\]"),
    "infinite tensor image": (
        {"target": torch.tensor([0.0, INF])},
        NonFiniteError,
        r"target: .* got inf at index \[1\]",
    ),
    "NaN activation": ({"activation": [1, NAN]}, NonFiniteError, r"activation\[1\]: .* got nan"),
    "NaN tolerance": ({"tolerance": NAN}, NonFiniteError, "tolerance: .* got nan"),
    "NaN tolerance of numpy": ({"tolerance": np.float16(NAN)}, NonFiniteError, "tolerance: .* nan"),
    "infinite tolerance": ({"tolerance": INF}, NonFiniteError, "tolerance: .* got inf"),
    # ---- No real numbers
    "bool": ({"weight": WEIGHT > 1}, InexactError, "weight: expected real numbers, got dtype bool"),
    "bool tensor": ({"weight": torch.ones(2, 2) > 0}, InexactError, "weight: .* got a bool tensor"),
    "complex": ({"weight": WEIGHT * 1j}, InexactError, "weight: .* got dtype complex"),
    "complex tensor": (
        {"weight": torch.ones(2, 2, dtype=torch.complex128)},
        InexactError,
        "weight: .* got a complex128 tensor",
    ),
    "longdouble": ({"weight": WEIGHT.astype(np.longdouble)}, InexactError, "at most 64-bit floats"),
    "longdouble tolerance": ({"tolerance": np.longdouble(0.1)}, InexactError, "got longdouble"),
    "quantised": ({"weight": _quantised()}, InexactError, "weight: .* got a qint8 tensor"),
    "float4": ({"weight": _unreadable()}, InexactError, "weight: .* got a float4_e2m1fn_x2 tensor"),
    "sparse tensor": (
        {"weight": torch.eye(2).to_sparse()},
        InexactError,
        "weight: expected a dense tensor, got layout torch.sparse_coo",
    ),
    "sparse matrix": (
        {"weight": scipy.sparse.eye_array(2, format="csr")},
        InexactError,
        "weight: expected a dense array, got a csr_array",
    ),
    "meta": ({"weight": torch.zeros(2, 2, device="meta")}, InexactError, "on the meta device"),
    "masked": ({"weight": np.ma.masked_array(WEIGHT, WEIGHT > 3)}, InexactError, "a masked array"),
    "None inside": (
        {"weight": _object(1, None, 2, 3)},
        InexactError,
        r"weight\[0, 1\]: .* NoneType",
    ),
    "text inside": ({"weight": _object(1, 2, "3", 4)}, InexactError, r"weight\[1, 0\]: .* got str"),
    "Decimal": (
        {"weight": _object(1, 2, 3, Decimal(4))},
        InexactError,
        r"\[1, 1\]: .* got Decimal",
    ),
    "texts": ({"weight": [["1", "2"], ["3", "4"]]}, InexactError, "weight: .* got dtype <U1"),
    "dates": ({"weight": np.zeros((2, 2), "M8[s]")}, InexactError, "weight: .* datetime64"),
    "records": (
        {"weight": np.zeros((2, 2), "f4,f4")},
        InexactError,
        "weight: expected real numbers",
    ),
    "bytes": ({"weight": np.zeros((2, 2), "V4")}, InexactError, "weight: .* got dtype .*V4"),
    "text as tolerance": ({"tolerance": "0.1"}, InexactError, "tolerance: .* got str"),
    "true as tolerance": ({"tolerance": np.bool_(True)}, InexactError, "tolerance: .* got bool"),
    "Decimal as tolerance": ({"tolerance": Decimal("0.1")}, InexactError, "tolerance: .* Decimal"),
    # ---- Shapes: both of them
    "ragged": ({"weight": [[1, 2], [3]]}, ShapeError, "weight: expected a rectangular array"),
    "no axes": ({"weight": np.array(1.0)}, ShapeError, r"weight: expected 2 axes, got shape \(\)"),
    "one axis": ({"weight": [1.0, 2.0]}, ShapeError, r"weight: .* got shape \(2,\)"),
    "batch of weights": ({"weight": WEIGHT[None]}, ShapeError, r"weight: .* got shape \(1, 2, 2\)"),
    "batch of images": (
        {"target": TARGET[None]},
        ShapeError,
        r"target: expected 1 axes, got shape \(1, 2\) for a weight of shape \(2, 2\)",
    ),
    "long image": (
        {"target": np.zeros(784)},
        ShapeError,
        r"target: expected length 2 for a weight of shape \(2, 2\), got 784",
    ),
    "short bias": ({"bias": [0.0]}, ShapeError, r"bias: .* weight of shape \(2, 2\), got 1"),
    "scalar bias": (
        {"bias": 0.0},
        ShapeError,
        r"bias: .* shape \(\) for a weight of shape \(2, 2\)",
    ),
    "long activation": ({"activation": [1] * 3}, ShapeError, r"activation: .*\(2, 2\), got 3"),
    "no inputs": ({"weight": np.zeros((2, 0)), "target": []}, ShapeError, r"one input, .*\(2, 0\)"),
    "nothing": ({"weight": None}, ShapeError, r"weight: expected 2 axes, got shape \(\)"),
    "a generator": ({"weight": (v for v in WEIGHT)}, ShapeError, "weight: expected 2 axes"),
    # ---- Values
    "negative activation": ({"activation": [1, -1]}, InputError, "y >= 0 .* got -1.0 at unit 1"),
    "negative tolerance": ({"tolerance": -1e-9}, InputError, "tolerance: .* >= 0, got -1e-09"),
    "endless tolerance": ({"tolerance": -ENDLESS}, InputError, "tolerance: .* thousands of digits"),
    "outside of the box": ({"domain": Box(0, 0.75)}, DomainError, r"target: .*1.0 at coordinate 0"),
    "an ulp outside": (
        {"domain": Box(0, np.nextafter(1.0, 0))},
        DomainError,
        r"target: .* got 1.0 at coordinate 0, outside of \[0.0, 0.9999999999999999\]",
    ),
    "negative coordinate": (
        {"domain": Nonnegative(), "target": [1.0, -5e-324]},
        DomainError,
        r"target: .* got -5e-324 at coordinate 1, outside of \[0.0, inf\]",
    ),
    "no domain": ({"domain": "box"}, InputError, r"domain: expected Free\(\), .* got 'box'"),
    "a class as domain": ({"domain": Box}, InputError, "domain: expected Free"),
    "bounds of another length": (
        {"domain": Box([0] * 3, 1)},
        ShapeError,
        "lower: .* 2 bounds, got 3",
    ),
}

#: Name -> lower, upper, the error, and what it says.
BOXES: dict[str, tuple[Any, Any, type[InputError], str]] = {
    "lower > upper": (1, 0, DomainError, "lower <= upper, got 1 > 0 at coordinate 0"),
    "by an ulp": (1.0, np.nextafter(1.0, 0), DomainError, "lower <= upper, got 1 > 90071992547"),
    "in one place": ([0, 1], [1, 0.5], DomainError, "got 1 > 1/2 at coordinate 1"),
    "endless": (ENDLESS, 0, DomainError, "lower <= upper, got about inf > 0"),
    "NaN": (NAN, 1, NonFiniteError, "lower: expected a finite number, got nan"),
    "NaN inside": ([0, 0], [1, NAN], NonFiniteError, r"upper\[1\]: .* got nan"),
    "infinite": (0, INF, NonFiniteError, "upper: expected a finite number, got inf"),
    "-infinite": ([-INF, 0.0], 1, NonFiniteError, r"lower: .* got -inf at index \[0\]"),
    "text": ("0", 1, InexactError, "lower: .* got str"),
    "texts": (0, ["1", "2"], InexactError, "upper: expected real numbers, got dtype <U1"),
    "None": (None, 1, InexactError, "lower: .* got NoneType"),
    "true": (False, True, InexactError, "lower: .* got bool"),
    "complex": (0, 1j, InexactError, "upper: .* got complex"),
    "Decimal": (Decimal(0), 1, InexactError, "lower: .* got Decimal"),
    "empty": ([], [], InputError, "lower: expected at least one bound"),
    "two axes": ([[0, 0]], 1, ShapeError, r"lower: expected 1 axes, got shape \(1, 2\)"),
    "lengths": ([0, 0], [1, 1, 1], ShapeError, r"upper: .* as lower \(2\), got 3"),
}

#: The same numbers in other containers: each must give the exact answers of the plain layer.
ACCEPTED: dict[str, dict[str, Any]] = {
    "lists": {"weight": WEIGHT.tolist(), "bias": [0, -9], "target": [1, 0.5]},
    "tuples": {"weight": tuple(map(tuple, WEIGHT.tolist())), "target": (1.0, F(1, 2))},
    "float16": {"weight": WEIGHT.astype(np.float16)},
    "float64": {"weight": WEIGHT.astype(np.float64)},
    "bfloat16 of numpy": {"weight": WEIGHT.astype(ml_dtypes.bfloat16)},
    "float8 of numpy": {"weight": WEIGHT.astype(ml_dtypes.float8_e4m3fn)},
    "bfloat16 of torch": {"weight": torch.tensor(WEIGHT).bfloat16()},
    **{
        f"{kind} of torch": {"weight": torch.tensor(WEIGHT).to(getattr(torch, kind))}
        for kind in ("float16", "float64", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz")
    },
    **{kind: {"weight": WEIGHT.astype(kind)} for kind in ("int8", "uint8", "int64", "uint64")},
    "int tensor": {"weight": torch.tensor(WEIGHT).int()},
    "Fractions": {"weight": _object(F(1), F(2), F(3), F(4))},
    "numpy scalars": {"weight": _object(np.float32(1), np.int8(2), np.float16(3), 4)},
    "tensor scalars": {"weight": _object(torch.tensor(1.0), 2, torch.tensor(3), 4)},
    "with a gradient": {"weight": torch.tensor(WEIGHT, requires_grad=True)},
    "a parameter": {"weight": torch.nn.Parameter(torch.tensor(WEIGHT))},
    "transposed": {"weight": np.ascontiguousarray(WEIGHT.T).T},
    "transposed tensor": {"weight": torch.tensor(WEIGHT.T.copy()).T},
    "every second column": {"weight": np.repeat(WEIGHT, 2, axis=1)[:, ::2]},
    "backwards": {"weight": WEIGHT[::-1, ::-1].copy()[::-1, ::-1]},
    "a negative view": {"weight": -_negated()},
    "a negated tensor": {"weight": torch.tensor(-WEIGHT).neg()},
    "byte-swapped": {"weight": WEIGHT.astype(">f4"), "bias": BIAS.astype(">f8")},
    "broadcast": {"bias": np.broadcast_to(np.float32(-9), (2,)) * np.array([0, 1])},
    "-0.0": {"bias": np.array([-0.0, -9.0])},
    "a matrix of numpy": {"weight": np.asmatrix(WEIGHT).A},
}
