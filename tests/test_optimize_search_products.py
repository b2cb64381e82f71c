"""Every way to multiply gives torch's product."""

import pytest
import torch

from optimize.search import products


@pytest.mark.parametrize("rows", [1, 15, 16, 40])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("onednn", [True, False])
def test_products_with_and_without_additions(rows, dtype, onednn, monkeypatch):
    if not onednn:
        monkeypatch.setattr(products, "_ONEDNN", None)
    generator = torch.Generator().manual_seed(rows)
    drawn = torch.randn(rows + 33, 60, generator=generator, dtype=torch.float64).to(dtype)
    x, matrix = drawn[:rows, :20].contiguous(), drawn[:20, 20:53].contiguous()
    bias = drawn[rows, :33].contiguous()
    added = torch.randn(rows, 33, generator=generator, dtype=torch.float64).to(dtype)
    expected = x.double() @ matrix.double()
    close = {"rtol": 1e-5 if dtype == torch.float32 else 1e-12, "atol": 1e-5}
    for transposed in (matrix, matrix.T.contiguous().T):
        for given_bias in (None, bias):
            for given in (None, added):
                before = None if given is None else given.clone()
                found = products.product(x, transposed, bias=given_bias, added=given)
                wanted = expected + (0 if given_bias is None else bias.double())
                wanted = wanted + (0 if given is None else added.double())
                assert found.dtype == dtype
                torch.testing.assert_close(found.double(), wanted, **close)
                assert given is None or torch.equal(given, before)


def test_onednn_is_there():
    assert products._ONEDNN is not None or not torch.backends.mkldnn.is_available()
