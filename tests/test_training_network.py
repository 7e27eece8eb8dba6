"""What the networks start from, with and without a download; what they are shown."""

import logging
from http.client import IncompleteRead
from urllib.error import URLError

import pytest
import torch
from torchvision.models import ResNet18_Weights, resnet18

from lib.training.network import augment, build, for_training, imagenet_weights, to_input


def download(monkeypatch, result):
    """Let torchvision's download give this state dict or raise this error; nothing touches the network."""

    def get_state_dict(*_, **options):
        assert options["check_hash"]
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr(ResNet18_Weights, "get_state_dict", get_state_dict)


@pytest.mark.parametrize(
    "error",
    [
        URLError("no route"),
        TimeoutError("timed out"),
        IncompleteRead(b""),
        RuntimeError("invalid hash value"),
        PermissionError("no cache"),
    ],
)
def test_without_a_download_the_networks_start_from_scratch_and_one_sentence_says_so(monkeypatch, caplog, error):
    download(monkeypatch, error)
    with caplog.at_level(logging.WARNING):
        assert imagenet_weights("imagenet") == ("none", None)
    (record,) = caplog.records
    assert "ImageNet weights could not be downloaded" in record.message and "start from scratch" in record.message


def test_a_download_is_used(monkeypatch):
    tensors = resnet18().state_dict()
    download(monkeypatch, tensors)
    name, initial = imagenet_weights("imagenet")
    assert name == "imagenet" and initial is tensors


def test_none_downloads_nothing(monkeypatch):
    download(monkeypatch, AssertionError("a download was tried"))
    assert imagenet_weights("none") == ("none", None)


def test_build_loads_every_tensor_but_the_head():
    initial = resnet18().state_dict()
    network = build(initial)
    own = network.state_dict()
    assert own["fc.weight"].shape == (1, 512)
    for name, tensor in initial.items():
        if name == "conv1.weight":
            assert torch.equal(own[name], tensor.sum(1, keepdim=True))
        elif not name.startswith("fc."):
            assert torch.equal(own[name], tensor), name
    assert "fc.weight" in initial and initial["conv1.weight"].shape == (64, 3, 7, 7)


def test_a_grey_image_is_seen_as_imagenets_network_sees_it_in_colour():
    torch.manual_seed(0)
    coloured = resnet18().eval()
    grey = build(coloured.state_dict()).eval()
    grey.fc, coloured.fc = torch.nn.Identity(), torch.nn.Identity()
    image = torch.randn(2, 1, 32, 32)
    with torch.no_grad():
        assert torch.allclose(grey(image), coloured(image.expand(-1, 3, -1, -1)), atol=1e-4)


def test_input_is_centred_and_scaled():
    levels = torch.tensor([0, 255], dtype=torch.uint8).view(1, 1, 1, 2)
    assert to_input(levels).flatten().tolist() == [-2, 2]


def test_augmentation_depends_on_its_generator_alone_and_keeps_the_shape():
    image = torch.randn(4, 1, 32, 32)

    def augmented(seed):
        torch.rand(3)  # the global state plays no part
        return augment(image, image.shape[-1], torch.Generator().manual_seed(seed))

    assert augmented(1).shape == image.shape
    assert torch.equal(augmented(1), augmented(1))
    assert not torch.equal(augmented(1), augmented(2))


@pytest.mark.parametrize(("size", "products"), [(64, 4), (96, 4), (160, 0)])
def test_laid_out_for_training_the_network_is_the_same_function_with_the_same_gradients(size, products, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)  # the layout is that of a processor
    torch.manual_seed(0)
    plain, fast = build(None).double(), for_training(build(None).double())
    fast.load_state_dict(plain.state_dict())
    images = torch.randn(4, 1, size, size, dtype=torch.float64)
    unfold, calls = torch.nn.functional.unfold, []
    monkeypatch.setattr(torch.nn.functional, "unfold", lambda *given, **more: calls.append(1) or unfold(*given, **more))
    for network in (plain, fast):
        network.train()
        network(images).square().sum().backward()
    assert len(calls) == products
    for (name, one), two in zip(plain.named_parameters(), fast.parameters(), strict=True):
        assert torch.allclose(one.grad, two.grad, rtol=1e-6, atol=1e-9), name
    with torch.no_grad():
        assert torch.allclose(plain.eval()(images), fast.eval()(images), rtol=1e-9)
