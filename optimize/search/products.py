"""Which matrix product is the fast one?  oneDNN's for float32 blocks on a CPU, else torch's own.

torch multiplies float32 matrices on a CPU by its BLAS, which is MKL in the usual builds and on
processors of other makers does not use their widest instructions: on an EPYC with AVX-512, 64 x 784
by 784 x 256, one thread, MKL made 60 to 96 GFLOP/s and oneDNN, which comes with torch too, 110 to
217.  torch.compile reaches it by the operator used here.  A few vertices are served best by torch.
"""

from typing import Any

import torch
from torch import Tensor

#: Rows from which oneDNN pays: below, its set-up costs more than the product.
_ROWS = 16


def _operator() -> Any:
    """OneDNN's linear map with what is added after it; None in a torch that has no such thing."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return None
    try:
        operator = torch.ops.mkldnn._linear_pointwise
        operator.binary  # noqa: B018 - asks whether this torch has it
    except (AttributeError, RuntimeError):
        return None
    return operator


_ONEDNN: Any = _operator()


def product(
    x: Tensor, matrix: Tensor, *, bias: Tensor | None = None, added: Tensor | None = None
) -> Tensor:
    """``x @ matrix + bias + added`` without a graph.

    Args:
        x: (V, n).
        matrix: (n, m), a transposed view as well.
        bias: (m,).
        added: (V, m).
    """
    if _ONEDNN is not None and len(x) >= _ROWS and _suits(x, matrix):
        if added is None:
            found: Tensor = _ONEDNN(x, matrix.T, bias, "none", [], "")
        else:
            found = _ONEDNN.binary(x, added, matrix.T, bias, "add")
        return found
    if added is not None:
        found = torch.addmm(added, x, matrix)
        return found if bias is None else found.add_(bias)
    return x @ matrix if bias is None else torch.addmm(bias, x, matrix)


def _suits(x: Tensor, matrix: Tensor) -> bool:
    return x.dtype == matrix.dtype == torch.float32 and x.device.type == "cpu"
