"""Networks of torchvision and transformers, made of their configurations, with random weights."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from torch import Tensor, nn

Made = tuple[str, Callable[[], nn.Module], tuple[int, ...]]

#: Of torchvision.models: name -> side of the smallest image that it takes.
VISION = {
    **dict.fromkeys(("alexnet", "vgg11", "vgg11_bn", "squeezenet1_0", "squeezenet1_1"), 64),
    **dict.fromkeys(("resnet18", "resnet34", "resnet50", "wide_resnet50_2"), 32),
    **dict.fromkeys(("resnext50_32x4d", "densenet121", "shufflenet_v2_x0_5"), 32),
    **dict.fromkeys(("mnasnet0_5", "mobilenet_v2", "regnet_x_400mf", "regnet_y_400mf"), 32),
    "googlenet": 64,
    "inception_v3": 80,
    "mobilenet_v3_small": 32,
    "efficientnet_b0": 32,
    "vit_b_16": 224,
    "convnext_tiny": 32,
}
SEGMENTING = ("fcn_resnet50", "deeplabv3_resnet50", "lraspp_mobilenet_v3_large")
VIDEO = ("r3d_18", "mc3_18", "r2plus1d_18")


def torchvision_networks() -> Iterator[Made]:
    """Yields networks of torchvision."""
    from torchvision.models import get_model

    for name, side in VISION.items():
        slow = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
        make = partial(get_model, name, weights=None, num_classes=10, **slow)
        yield f"torchvision {name}", make, (3, side, side)
    for name in SEGMENTING:
        make = partial(get_model, name, weights=None, weights_backbone=None, num_classes=4)
        yield f"torchvision {name}", make, (3, 32, 32)
    for name in VIDEO:
        make = partial(get_model, name, weights=None, num_classes=4)
        yield f"torchvision {name}", make, (3, 4, 16, 16)


class Given(nn.Module):
    """A model of transformers, given numbers under a name of its own."""

    def __init__(self, model: nn.Module, name: str) -> None:
        super().__init__()
        self.model, self.name = model, name

    def forward(self, x: Tensor) -> Tensor:
        """What the model makes of them."""
        found: Tensor = self.model(**{self.name: x}).last_hidden_state
        return found


def transformers_networks() -> Iterator[Made]:
    """Yields small models of transformers."""
    import transformers as hf

    usual = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 2, "vocab_size": 50}
    mlp = usual | {"intermediate_size": 32}
    five = {"d_model": 16, "num_heads": 2, "num_layers": 2, "d_kv": 8, "d_ff": 32, "vocab_size": 50}
    opt = usual | {"ffn_dim": 32, "word_embed_proj_dim": 16, "activation_function": "relu"}
    gpt = {"n_embd": 16, "n_head": 2, "n_layer": 2, "vocab_size": 50, "activation_function": "relu"}
    distil = {"dim": 16, "n_heads": 2, "n_layers": 2, "hidden_dim": 32, "vocab_size": 50}
    bart = {f"{side}_{name}": 2 for side in ("encoder", "decoder")
            for name in ("layers", "attention_heads", "ffn_dim")}  # fmt: skip
    bart |= {"d_model": 16, "vocab_size": 50, "activation_function": "relu"}
    image = mlp | {"image_size": 16, "patch_size": 8}
    resnet = {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "layer_type": "basic"}
    words: list[tuple[str, Any, Any, dict[str, Any]]] = [
        ("OPT", hf.OPTModel, hf.OPTConfig, opt),
        ("T5 encoder", hf.T5EncoderModel, hf.T5Config, five | {"feed_forward_proj": "relu"}),
        ("BERT with ReLU", hf.BertModel, hf.BertConfig, mlp | {"hidden_act": "relu"}),
        ("BERT with GELU", hf.BertModel, hf.BertConfig, mlp),
        ("GPT-2 with ReLU", hf.GPT2Model, hf.GPT2Config, gpt),
        ("DistilBERT with ReLU", hf.DistilBertModel, hf.DistilBertConfig,
         distil | {"activation": "relu"}),
        ("BART encoder", lambda config: hf.BartModel(config).encoder, hf.BartConfig, bart),
        ("Llama with ReLU", hf.LlamaModel, hf.LlamaConfig, mlp | {"hidden_act": "relu"}),
    ]  # fmt: skip
    images: list[tuple[str, Any, Any, dict[str, Any], int]] = [
        ("ResNet", hf.ResNetModel, hf.ResNetConfig, resnet, 32),
        ("ViT with ReLU", hf.ViTModel, hf.ViTConfig, image | {"hidden_act": "relu"}, 16),
    ]
    for name, model, config, options in words:
        make = partial(_made, model, config, options, "inputs_embeds")
        yield f"transformers {name}", make, (5, 16)
    for name, model, config, options, side in images:
        make = partial(_made, model, config, options, "pixel_values")
        yield f"transformers {name}", make, (3, side, side)


def _made(model: Any, config: Any, options: dict[str, Any], name: str) -> nn.Module:
    return Given(model(config(**options)), name)
