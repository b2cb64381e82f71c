"""What a layer may be made of, and every way to get it wrong."""

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
import torch

from polytope import Box, CollisionPolytope, Nonnegative, verify
from polytope.errors import (
    DomainError,
    InexactError,
    InputError,
    NonFiniteError,
    OutputError,
    ShapeError,
    UnitError,
)

F = Fraction
NAN, INF = float("nan"), float("inf")
build = CollisionPolytope.from_layer
SQUARE = ([[1.0, 2.0], [3.0, 4.0]], [0.0, -9.0], [1.0, 0.5])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"weight": [1, 2]}, ShapeError, r"weight: expected 2 axes, got shape \(2,\)"),
        ({"weight": np.ones((2, 2, 1))}, ShapeError, r"weight: .* got shape \(2, 2, 1\)"),
        ({"weight": None}, ShapeError, r"weight: expected 2 axes, got shape \(\)"),
        ({"weight": np.zeros((0, 2))}, ShapeError, r"bias: expected length 0 .*\(0, 2\), got 2"),
        ({"weight": np.zeros((2, 0))}, ShapeError, r"weight: .* one input, got shape \(2, 0\)"),
        ({"weight": []}, ShapeError, r"weight: expected 2 axes, got shape \(0,\)"),
        ({"weight": [[1, 2], [3]]}, ShapeError, "weight: expected a rectangular array, got a rag"),
        ({"weight": [[F(1), 2], [3]]}, ShapeError, "weight: expected a rectangular array, got a r"),
        ({"weight": [[1, NAN], [3, 4]]}, NonFiniteError, r"weight\[0, 1\]: .* got nan"),
        ({"weight": np.array([[1, 2], [-INF, 4]])}, NonFiniteError, r"got -inf at index \[1, 0\]"),
        ({"weight": [[F(1), NAN], [3, 4]]}, NonFiniteError, r"weight\[0, 1\]: .* got nan"),
        ({"weight": [["1", "2"]] * 2}, InexactError, "weight: expected real numbers, got dtype <U"),
        ({"weight": [[1j, 2]] * 2}, InexactError, "weight: expected real .* got dtype complex128"),
        ({"weight": [[True, False]] * 2}, InexactError, "weight: expected .* got dtype bool"),
        ({"weight": [[True, 0.5]] * 2}, InexactError, r"weight\[0, 0\]: .* got bool"),
        ({"weight": [[None, 1]] * 2}, InexactError, r"weight\[0, 0\]: .* got NoneType"),
        ({"weight": np.ones((2, 2), np.longdouble)}, InexactError, "weight: expected at most 64-b"),
        ({"weight": np.ma.masked_array(np.eye(2), np.eye(2))}, InexactError, "got a masked array"),
        ({"weight": np.zeros((2, 2), "M8[s]")}, InexactError, r"weight: .* got dtype datetime64"),
        ({"bias": [0.0]}, ShapeError, r"bias: expected length 2 .* shape \(2, 2\), got 1"),
        ({"bias": 0.0}, ShapeError, r"bias: expected 1 axes, got shape \(\)"),
        ({"bias": [0.0, INF]}, NonFiniteError, r"bias: .* got inf at index \[1\]"),
        ({"target": [1.0]}, ShapeError, r"target: expected length 2 .*, got 1"),
        ({"target": [[1.0, 2.0]]}, ShapeError, r"target: expected 1 axes, got shape \(1, 2\)"),
        ({"target": [NAN, 0.0]}, NonFiniteError, r"target: .* got nan at index \[0\]"),
        ({"target": None}, ShapeError, r"target: expected 1 axes, got shape \(\)"),
        ({"tolerance": -1}, InputError, "tolerance: expected a number >= 0, got -1"),
        ({"tolerance": NAN}, NonFiniteError, "tolerance: expected a finite number, got nan"),
        ({"tolerance": INF}, NonFiniteError, "tolerance: expected a finite number, got inf"),
        ({"tolerance": "0"}, InexactError, "tolerance: expected an int, .* got str"),
        ({"tolerance": [0]}, InexactError, "tolerance: expected an int, .* got list"),
        ({"domain": Box(0, 0.75)}, DomainError, r"target: .* got 1.0 at coordinate 0, .*0.0, 0.75"),
        (
            {"target": [1, -(10**400)], "domain": Nonnegative()},
            DomainError,
            r"target: .* got -inf at coordinate 1, outside of \[0.0, inf\]",
        ),
    ],
)
def test_refused(change, error, message):
    arguments = dict(zip(("weight", "bias", "target"), SQUARE, strict=True)) | change
    with pytest.raises(error, match=message):
        build(**arguments)


@pytest.mark.parametrize(
    ("activation", "error", "message"),
    [
        ([1, -1], InputError, r"activation: expected y >= 0 .*, got -1.0 at unit 1"),
        ([1, -(10**400)], InputError, "activation: expected y >= 0 .*, got -inf at unit 1"),
        ([1, NAN], NonFiniteError, r"activation\[1\]: .* got nan"),
        ([1.0, NAN], NonFiniteError, r"activation: .* got nan at index \[1\]"),
        ([1], ShapeError, "activation: expected length 2 .* got 1"),
        (None, ShapeError, "activation: expected 1 axes, got None"),
    ],
)
def test_refused_activation(activation, error, message):
    with pytest.raises(error, match=message):
        CollisionPolytope.from_activation(*SQUARE[:2], activation)


@pytest.mark.parametrize(
    ("unit", "message"),
    [
        (0, "unit: expected an inactive unit, got 0, which is active"),
        (2, "unit: expected 0 <= unit < 2, got 2"),
        (-1, "unit: expected 0 <= unit < 2, got -1"),
        (1.0, "unit: expected an int, got 1.0"),
        (True, "unit: expected an int, got True"),
        ("1", "unit: expected an int, got '1'"),
        (None, "unit: expected an int, got None"),
    ],
)
def test_unit_refused(unit, message):
    polytope = build(*SQUARE)
    with pytest.raises(UnitError, match=message):
        polytope.unit_vertex(unit)
    with pytest.raises(
        UnitError, match=message.replace("unit: expected an", r"(unit|units\[1\]): expected an")
    ):
        polytope.unit_vertices([1, unit])


def test_units_refused():
    with pytest.raises(UnitError, match="units: expected a sequence of ints, got 1"):
        build(*SQUARE).unit_vertices(1)


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        ([1.0], ShapeError, "expected 2 coordinates, got 1"),
        ([[1.0, 2.0]], ShapeError, r"expected 1 axes, got shape \(1, 2\)"),
        ([NAN, 0.0], NonFiniteError, r"expected finite numbers, got nan at index \[0\]"),
        (["a", "b"], InexactError, "expected real numbers, got dtype <U1"),
        ([1j, 0], InexactError, "expected real numbers, got dtype complex128"),
    ],
)
def test_points_refused(x, error, message):
    polytope = build(*SQUARE)
    for question in (
        polytope.contains,
        polytope.residuals,
        polytope.tight_constraints,
        polytope.is_vertex,
        polytope.nearest,
    ):
        with pytest.raises(error, match=f"x: {message}"):
            question(x)
    with pytest.raises(error, match=f"c: {message}"):
        polytope.minimize(x)


@pytest.mark.parametrize("norm", ["l3", None, 2, ["linf"], INF])
def test_norm_refused(norm):
    with pytest.raises(InputError, match="norm: expected one of linf, l1, l2, got "):
        build(*SQUARE).nearest([0, 0], norm=norm)


def test_certificates_refused(tmp_path):
    with pytest.raises(InputError, match=r"certificate: expected .* got int"):
        verify(5)
    certificate = build(*SQUARE).feasibility().certificate
    with pytest.raises(OutputError, match=r"missing/certificate\.json cannot be written: No such"):
        certificate.save(tmp_path / "missing" / "certificate.json")
    with pytest.raises(OutputError, match=r"cannot be written: Is a directory"):
        certificate.save(tmp_path)
    assert list(tmp_path.iterdir()) == []  # no half-written file is left behind


# 0.1 as it is stored in each type.
STORED = {
    "float16": F(0.0999755859375),
    "float32": F(float(np.float32(0.1))),
    "float64": F(0.1),
}


@pytest.mark.parametrize("dtype", STORED)
def test_floats_are_taken_as_stored(dtype):
    for array in (np.array([[0.1]], dtype), torch.tensor([[0.1]], dtype=getattr(torch, dtype))):
        polytope = build(array, [0], [1])
        assert polytope.residuals([1]).pre_activation == (STORED[dtype],)
        assert "stored weights" in verify(polytope.dimension().certificate)


def test_big_endian_numbers():
    polytope = build(np.array([[1.5]], ">f4"), np.array([-1], ">i2"), np.array([2], ">i8"))
    assert polytope.residuals([2]).pre_activation == (2,)
    verify(polytope.dimension().certificate)


def test_bfloat16_and_float8():
    weight = torch.tensor([[1.1]], dtype=torch.bfloat16)
    polytope = build(weight, torch.zeros(1), torch.ones(1))
    assert polytope.residuals([1]).pre_activation == (F(141, 128),)
    verify(polytope.rank_positive().certificate)
    weight = torch.tensor([[1.1]]).to(torch.float8_e4m3fn)
    assert build(weight, [0], [1]).residuals([1]).pre_activation == (F(9, 8),)


def test_a_parameter_that_is_trained_on():
    weight = torch.nn.Parameter(torch.ones(1, 2))
    polytope = build(weight, torch.zeros(1), torch.ones(2))
    with torch.no_grad():
        weight += 1
    assert polytope.residuals([1, 1]).pre_activation == (2,)


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (torch.zeros(1, 1, dtype=torch.complex64), "real floats or integers, got a complex64"),
        (torch.zeros(1, 1, dtype=torch.bool), "real floats or integers, got a bool tensor"),
        (torch.zeros(1, 1).to_sparse(), "dense tensor, got layout torch.sparse_coo"),
        (torch.zeros(1, 1, device="meta"), "a tensor with data, got one on the meta device"),
    ],
    ids=["complex", "bool", "sparse", "meta"],
)
def test_tensors_refused(tensor, message):
    with pytest.raises(InexactError, match=f"weight: expected .*{message}"):
        build(tensor, [0], [0])


@pytest.mark.parametrize(
    "weight",
    [
        [[2**63 + 1, -1]],  # numpy alone would round this to float64
        [[2**200, -1]],
        [[2**53 + 1, 0.5]],
        [[F(1, 3), 0.1]],
        np.array([[2**64 - 1, 0]], np.uint64),
        np.array([[-(2**63), 0]], np.int64),
    ],
    ids=str,
)
def test_numbers_no_float_holds(weight):
    first, second = (F(int(v)) if isinstance(v, np.integer) else F(v) for v in weight[0])
    polytope = build(weight, [F(1, 7)], [1, 1])
    assert polytope.residuals([1, 1]).pre_activation == (first + second + F(1, 7),)
    for unit in polytope.inactive_units:
        verify(polytope.unit_vertex(unit).certificate)
    verify(polytope.dimension().certificate)


HUGE = 10**400


@pytest.mark.parametrize(
    ("weight", "bias", "target", "domain"),
    [
        ([[HUGE, 1], [1, -1]], [0, -HUGE], [1, 0], Nonnegative()),
        ([[1, 1], [1, -1]], [0, 0], [1, 0], Box(-HUGE, HUGE)),
        ([[1, 1], [1, -1]], [0, 0], [HUGE, 0], Nonnegative()),
        ([[F(1, HUGE), 1], [-1, -1]], [0, 0], [1, 0], Nonnegative()),
        ([[1.7e308, 1.7e308], [-1e308, -1e308]], [-1.7e308, 1.0], [1.0, 0.5], Box(0, 1)),
        ([[5e-324, -5e-324], [-5e-324, 1e-310]], [0.0, 0.0], [1.0, 0.5], Box(0, 1)),
    ],
    ids=["weight", "bounds", "target", "tiny", "largest floats", "subnormal"],
)
def test_numbers_beyond_the_float_range(weight, bias, target, domain):
    polytope = build(weight, bias, target, domain=domain)
    certificates = [
        getattr(polytope, question)().certificate
        for question in ("kernel_condition", "dimension", "lineality", "boundedness", "feasibility")
    ]
    certificates += [r.certificate for r in polytope.unit_vertices().values()]
    certificates += [polytope.nearest([0, 1], norm=norm).certificate for norm in ("linf", "l1")]
    found = polytope.nearest([0, HUGE], norm="l2")
    assert found.lower <= found.upper
    for certificate in [*certificates, found.certificate]:
        assert certificate is not None
        verify(certificate)


def test_zero_counts_as_inactive_and_as_a_tie():
    polytope = build([[1.0], [1.0], [-0.0]], [-1.0, 0.0, 0.0], [1.0])
    assert (polytope.active_units, polytope.inactive_units) == ((1,), (0, 2))
    assert polytope.ties == (0, 2)
    assert CollisionPolytope.from_activation([[1]], [0], [0]).ties == ()


def test_float_signs_that_are_wrong():
    # One product, so no order of summation: (1 + 2**-12)**2 = 1 + 2**-11 + 2**-24, which float32
    # rounds to 1 + 2**-11 = -b; the exact pre-activation is 2**-24, the float one 0.
    weight = np.array([[1.0 + 2.0**-12]], np.float32)
    bias = np.array([-(1.0 + 2.0**-11)], np.float32)
    polytope = build(weight, bias, np.array([1.0 + 2.0**-12], np.float32))
    assert polytope.layer.pre_activation(0) == Fraction(1, 2**24)
    assert polytope.active_units == (0,)
    assert polytope.sign_disagreements == (0,)


def test_half_precision_is_accumulated_in_single():
    # 2048 + 1 - 2048: float16 sums lose the 1, float32 sums keep it.
    weight = np.array([[2048, 1, -2048]], np.float16)
    polytope = build(weight, np.zeros(1, np.float16), np.ones(3, np.float16))
    assert polytope.active_units == (0,)
    assert polytope.sign_disagreements == ()


def test_import_leaves_torch_alone():
    code = "import sys, polytope; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
