"""What are the functions behind the weights?  Their definitions, by mpmath."""

import mpmath

from polytope.sets.functions import SELU_ALPHA, SELU_SCALE


def mp(value):
    return mpmath.mpf(value.numerator) / value.denominator


def defined(name):
    """Each function as its definition says, by mpmath."""
    alpha, scale = mp(SELU_ALPHA), mp(SELU_SCALE)
    return {
        "sigmoid": lambda u: 1 / (1 + mpmath.exp(-u)),
        "tanh": mpmath.tanh,
        "softplus": lambda u: mpmath.log1p(mpmath.exp(u)),
        "selu": lambda u: scale * (u if u > 0 else alpha * mpmath.expm1(u)),
        "hard_tanh": lambda u: min(max(u, -1), 1),
        "hard_sigmoid": lambda u: min(max(u / 6 + mpmath.mpf(1) / 2, 0), 1),
        "relu6": lambda u: min(max(u, 0), 6),
        "elu": lambda u: u if u > 0 else mpmath.expm1(u),
        "elu(0.5)": lambda u: u if u > 0 else mpmath.expm1(u) / 2,
        "leaky_relu": lambda u: u if u > 0 else mpmath.mpf(0.01) * u,
        "leaky_relu(0.25)": lambda u: u if u > 0 else u / 4,
        "clipped_relu(2)": lambda u: min(max(u, 0), 2),
    }[name]


SMOOTH = ["sigmoid", "tanh", "softplus", "selu", "elu", "elu(0.5)"]
LINEAR = ["hard_tanh", "hard_sigmoid", "relu6", "leaky_relu", "leaky_relu(0.25)", "clipped_relu(2)"]
