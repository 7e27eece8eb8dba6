"""Groups and verdicts keep one look that everyone can tell apart."""

import pytest
import yaml

from lib.names import DEFAULTS, OVERALL
from lib.report import theme
from lib.settings import ROOT


def test_every_group_has_a_look_of_its_own_and_colours_differ_in_grey_or_shape():
    named = {(a.name, group) for a in DEFAULTS.values() for group in a.groups} | {(OVERALL, "all")}
    assert named == set(theme.GROUPS)
    assert len({look.colour for look in theme.GROUPS.values()}) == len(theme.GROUPS)
    for attribute in DEFAULTS.values():
        shapes = [theme.GROUPS[attribute.name, group].shape for group in attribute.groups]
        assert len(set(shapes)) == len(shapes)
    assert len({(look.shape, look.hollow) for look in theme.VERDICTS.values()}) >= len(theme.VERDICTS) - 1


def _luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb` (WCAG 2.2)."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("page", ["paper", "night"])
def test_every_mark_stands_out_from_the_light_and_the_dark_page(page):
    ground = _luminance(yaml.safe_load((ROOT / "_brand.yml").read_text("utf-8"))["color"]["palette"][page])
    looks = [
        *theme.GROUPS.values(),
        *theme.VERDICTS.values(),
        *theme.SPARE,
        *theme.LABELS.values(),
    ]
    for look in looks:
        light, dark = sorted((_luminance(look.colour), ground), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 3, look
