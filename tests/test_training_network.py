"""What the networks start from, with and without a download; what they are shown."""

import logging
from http.client import IncompleteRead
from urllib.error import URLError

import numpy as np
import pytest
import torch
from sklearn.datasets import load_sample_image
from torchvision.models import ResNet18_Weights, resnet18

from lib.training.classifier import Classifier, augment, fastest_precision
from lib.training.networks import NETWORKS, build, efficientnet_lite0, fold_norms, initial_weights
from lib.training.networks.resnet18 import from_torchvision
from lib.training.settings import TrainingSettings


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
        assert initial_weights("resnet18", "imagenet") == ("none", None)
    (record,) = caplog.records
    assert "ImageNet weights could not be downloaded" in record.message and "start from scratch" in record.message


def test_a_download_is_used(monkeypatch):
    download(monkeypatch, resnet18().state_dict())
    name, initial = initial_weights("resnet18", "imagenet")
    assert name == "imagenet" and "body.layer4.1.bn2.weight" in initial


def test_none_downloads_nothing(monkeypatch):
    download(monkeypatch, AssertionError("a download was tried"))
    assert initial_weights("resnet18", "none") == ("none", None)


@pytest.mark.parametrize("change", ["other file", "no package"])
def test_weights_that_are_not_the_published_ones_are_not_used(monkeypatch, caplog, tmp_path, change):
    if change == "other file":
        monkeypatch.setattr(efficientnet_lite0, "SHA256", "0" * 64)
    else:
        monkeypatch.setattr(efficientnet_lite0, "find_spec", lambda name: None)
    with caplog.at_level(logging.WARNING):
        assert initial_weights("efficientnet_lite0", "imagenet") == ("none", None)
    assert "start from scratch" in caplog.text


@pytest.mark.parametrize(
    ("photograph", "classes"), [("china.jpg", {698, 663, 832}), ("flower.jpg", {985, 723, 883, 308})]
)
def test_the_package_s_network_knows_photographs(photograph, classes):
    """ImageNet's classes 698 palace, 663 monastery, 832 stupa; 985 daisy, and what a dahlia is taken for."""
    package = torch.load(
        f"{efficientnet_lite0.find_spec(efficientnet_lite0.PACKAGE).submodule_search_locations[0]}/{efficientnet_lite0.FILE}",
        weights_only=True,
    )
    network = build("efficientnet_lite0", "imagenet", initial_weights("efficientnet_lite0", "imagenet")[1]).eval()
    head = torch.nn.Linear(1280, 1000)
    head.load_state_dict({"weight": package["_fc.weight"], "bias": package["_fc.bias"]})
    image = torch.from_numpy(load_sample_image(photograph).copy()).float().mean(2)[None, None]
    image = torch.nn.functional.interpolate(image, (224, 224), mode="area")
    with torch.inference_mode():
        best = head(network.embed(network.to_input(image))).topk(3).indices[0].tolist()
    assert classes & set(best), best


def test_build_loads_every_tensor_but_the_head():
    initial = resnet18().state_dict()
    network = build("resnet18", "imagenet", from_torchvision(initial))
    own = network.state_dict()
    assert own["head.weight"].shape == (1, 512)
    for name, tensor in initial.items():
        if name == "conv1.weight":
            assert torch.equal(own["body.conv1.weight"], tensor.sum(1, keepdim=True))
        elif not name.startswith("fc."):
            assert torch.equal(own[f"body.{name}"], tensor), name
    assert "fc.weight" in initial and initial["conv1.weight"].shape == (64, 3, 7, 7)


def test_a_grey_image_is_seen_as_imagenets_network_sees_it_in_colour():
    torch.manual_seed(0)
    coloured = resnet18().eval()
    grey = build("resnet18", "imagenet", from_torchvision(coloured.state_dict())).eval()
    coloured.fc = torch.nn.Identity()
    image = torch.randn(2, 1, 32, 32)
    with torch.inference_mode():
        assert torch.allclose(grey.embed(image), coloured(image.expand(-1, 3, -1, -1)), atol=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_folding_batch_norms_changes_no_output_and_leaves_none(name):
    torch.manual_seed(0)
    network = build(name, "none").eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            (
                module.running_mean.normal_(0, 0.1),
                module.running_var.uniform_(0.5, 2),
                module.weight.data.uniform_(0.5, 2),
            )
    network.head.weight.data.normal_()
    image = torch.randn(2, 1, 64, 64)
    with torch.inference_mode():
        before = network(image)
        after = fold_norms(network)(image)
    assert torch.allclose(before, after, rtol=1e-3, atol=1e-4)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_has_maps_a_head_and_blocks_that_can_be_frozen(name):
    network = build(name, "none")
    x = network.to_input(torch.randint(0, 256, (2, 1, 64, 64), dtype=torch.uint8))
    maps = network.features(x)
    assert maps.shape[0] == 2 and maps.shape[1] == network.head.in_features and maps.ndim == 4
    assert network(x).shape == (2, 1)
    network.freeze(0)
    assert all(p.requires_grad for p in network.parameters())
    network.freeze(2)
    frozen = [name for name, p in network.named_parameters() if not p.requires_grad]
    assert frozen and not any(name.startswith("head") for name in frozen)


def test_frozen_blocks_do_not_move_and_the_others_do():
    torch.manual_seed(0)
    settings = TrainingSettings(image_size=32, first_image_size=32, frozen_blocks=3)
    model = Classifier(settings, 1, 4, initial_weights("efficientnet_lite0", "imagenet")[1])
    optimizer = model.configure_optimizers()["optimizer"]
    before = {name: tensor.clone() for name, tensor in model.network.state_dict().items()}
    model.network.head.weight.data.normal_()
    model.network(torch.randn(4, 1, 32, 32)).sum().backward()
    optimizer.step()
    moved = {name for name, tensor in model.network.state_dict().items() if not torch.equal(tensor, before[name])}
    assert not any(name.startswith(("conv_stem", "blocks.0.", "blocks.1.", "blocks.2.")) for name in moved)
    assert {"blocks.3.expand_conv.weight", "conv_head.weight", "head.weight"} <= moved


def test_levels_are_centred_and_scaled_as_each_network_expects():
    levels = torch.tensor([0, 255], dtype=torch.uint8).view(1, 1, 1, 2)
    assert build("resnet18", "none").to_input(levels).flatten().tolist() == [-2, 2]
    assert build("efficientnet_lite0", "none").to_input(levels).flatten().tolist() == [-127 / 128, 1]


def test_standardized_images_do_not_tell_how_bright_or_rich_in_contrast_they_are():
    network = build("efficientnet_lite0", "none", standardize=True)
    image = torch.randint(0, 60, (1, 1, 32, 32)).to(torch.uint8)
    shown = network.to_input(torch.cat([image, 3 * image + 40, torch.full_like(image, 7)]))
    torch.testing.assert_close(shown[0], shown[1])
    assert float(shown[0].std()) == pytest.approx(network.spread) and float(shown[0].mean()) == pytest.approx(
        0, abs=1e-5
    )
    assert shown[2].abs().max() == 0  # a blank image


def test_augmentation_depends_on_its_generator_alone_and_keeps_the_shape():
    image = torch.randn(4, 1, 32, 32)

    def augmented(seed):
        torch.rand(3)  # the global state plays no part
        return augment(image, image.shape[-1], torch.Generator().manual_seed(seed))

    assert augmented(1).shape == image.shape
    assert torch.equal(augmented(1), augmented(1))
    assert not torch.equal(augmented(1), augmented(2))


@pytest.mark.parametrize("seconds", [{"32-true": 1.0, "bf16-mixed": 2.0}, {"32-true": 2.0, "bf16-mixed": 1.0}])
def test_the_precision_that_takes_less_time_is_chosen(monkeypatch, seconds):
    """A clock that stands still but while a network computes, longer in one precision than in the other."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("lib.training.classifier.processor_knows_bfloat16", lambda: True)
    now = 0.0

    def compute(self, x):
        nonlocal now
        now += seconds["bf16-mixed" if torch.is_autocast_enabled("cpu") else "32-true"]
        return self.head.weight.sum()[None]

    monkeypatch.setattr("lib.training.classifier.device_seconds", lambda device: now)
    monkeypatch.setattr("lib.training.networks.interface.Network.forward", compute)
    settings = TrainingSettings(image_size=32, initial_weights="none")
    assert fastest_precision(settings) == min(seconds, key=seconds.get)


def test_where_bfloat16_is_emulated_nothing_is_timed(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("lib.training.classifier.processor_knows_bfloat16", lambda: False)
    monkeypatch.setattr("lib.training.classifier.Classifier", None)
    assert fastest_precision(TrainingSettings()) == "32-true"


def test_the_recipe_follows_the_network_its_start_and_what_is_stated():
    scratch = TrainingSettings.for_start({}, "none")
    assert scratch.epochs > TrainingSettings().epochs and scratch.initial_weights == "none"
    assert TrainingSettings.for_start({"network": "resnet18"}, "imagenet").network == "resnet18"
    stated = TrainingSettings.for_start({"image_size": 80, "epochs": 7}, "none")
    assert (stated.image_size, stated.first_image_size, stated.epochs) == (80, 80, 7)
    with pytest.raises(ValueError, match="^network is 'vgg'; allowed is "):
        TrainingSettings.for_start({"network": "vgg"}, "imagenet")
    assert isinstance(np.float64(scratch.learning_rate), float)
