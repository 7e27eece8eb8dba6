"""What pictures take from networks: saliency as the paper defines it, and resizing as torch does it."""

import pytest
import torch
from pytest import approx
from torch import nn

from lib.pictures.cells import area_means, between
from lib.pictures.grad_cam import grad_cam


@pytest.mark.parametrize(("size", "side"), [(4, 4), (6, 4), (224, 96), (7, 32)])
def test_images_are_resized_as_torch_does(size, side):
    image = torch.rand(1, 1, size, size, dtype=torch.float64)
    if side <= size:
        assert (area_means(size, side) > 0).sum() >= size
        assert area_means(size, side).sum(axis=1) == approx(1) and area_means(size, side).sum(axis=0) == approx(
            side / size
        )
    if size % side == 0:
        expected = nn.functional.adaptive_avg_pool2d(image, side)[0, 0].numpy()
        assert area_means(size, side) @ image[0, 0].numpy() @ area_means(size, side).T == approx(expected)
    expected = nn.functional.interpolate(image, (side, side), mode="bilinear", align_corners=False)[0, 0].numpy()
    assert between(size, side) @ image[0, 0].numpy() @ between(size, side).T == approx(expected)


class Tiny(nn.Module):
    """Two convolutions, a mean over the map, a linear layer: the shape of every network here."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 5, 3, 2), nn.ReLU6(), nn.Conv2d(5, 6, 3, 2))
        self.head = nn.Linear(6, 1)

    def forward(self, x):
        return self.head(self.features(x).mean((2, 3)))


def test_grad_cam_is_that_of_the_paper():
    torch.manual_seed(1)
    network, x = Tiny(), torch.randn(3, 1, 24, 24)
    maps = network.features(x).detach().requires_grad_()
    network.head(maps.mean((2, 3))).sum().backward()
    alpha = maps.grad.mean((2, 3))  # equation 1
    expected = torch.relu((alpha[:, :, None, None] * maps).sum(1))  # equation 2
    assert (expected > 0).any()
    torch.testing.assert_close(grad_cam(network, x), expected)
