"""The hub's own client is asked for one repository's tensors, and its answer is a folder."""

import sys
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from experiments.models.hub import fetched
from experiments.models.registry import load_model
from polytope.errors import DownloadError, InputError


def client(monkeypatch, answer):
    """Puts a client in the place of the hub's; returns what it was asked."""
    asked = []

    def snapshot_download(name, **options):
        asked.append((name, options))
        return answer()

    monkeypatch.setitem(
        sys.modules, "huggingface_hub", SimpleNamespace(snapshot_download=snapshot_download)
    )
    return asked


def test_a_repository_is_fetched_and_read(tmp_path, monkeypatch):
    state = nn.Linear(2, 3).state_dict()
    folder = tmp_path / "snapshot"
    folder.mkdir()
    save_file(dict(state), folder / "model.safetensors")
    asked = client(monkeypatch, lambda: str(folder))
    (tmp_path / "nets.py").write_text(
        "from torch import nn\ndef net():\n    return nn.Linear(2, 3)\n"
    )
    loaded = load_model(f"{tmp_path / 'nets.py'}:net", "hf:owner/net.v1@main")
    assert torch.equal(loaded.module.weight, state["weight"])
    assert loaded.source == "hf:owner/net.v1@main"
    assert str(folder / "model.safetensors") in loaded.files
    wanted = {"allow_patterns": ["*.safetensors", "*.safetensors.index.json"], "revision": "main"}
    assert asked == [("owner/net.v1", wanted)]


def test_what_goes_wrong_is_one_sentence(monkeypatch):
    for word in ("hf:net", "hf:owner/net/more", "hf:owner/../net", "hf:"):
        with pytest.raises(InputError, match="expected hf:OWNER/NAME or hf:OWNER/NAME@REVISION"):
            fetched(word)

    def fail():
        raise OSError("no such repository\nand more")

    client(monkeypatch, fail)
    with pytest.raises(
        DownloadError, match=r"hf:a/b: expected a folder of the hub, got: no such repository$"
    ):
        fetched("hf:a/b")
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(InputError, match=r"install the extra `hub`: pip install 'collision-poly"):
        fetched("hf:a/b")
