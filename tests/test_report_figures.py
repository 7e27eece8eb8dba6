"""Figures: they build for every study, say what they show, claim nothing on a null cohort, and keep one look."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml
from bundles import Knobs, bundle

from lib.names import DEFAULTS, NOT_ESTIMABLE, OVERALL
from lib.report import exhibit, figures, theme
from lib.settings import ROOT

STUDIES = {
    "effect": Knobs(),
    "null": Knobs(effect=0),
    "rare groups": Knobs(rare=True),
    "one seed": Knobs(seeds=1),
    "baseline only": Knobs(weightings=("uniform",), postprocessings=("fixed_0.5",)),
}
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "front": ("odds", "view"),
    "who_gains": ("uniform", "equal_tpr", "view"),
}

DRAWN = [name for name in figures.__all__ if callable(getattr(figures, name))]


@cache
def draw(name: str, study: str, size: str = "page") -> Any:
    return getattr(figures, name)(bundle(STUDIES[study]), *ARGUMENTS.get(name, ()), size=size)


@cache
def spec(name: str, study: str, size: str = "page") -> dict[str, Any]:
    # checking against the schema is slow; figures have the same parts in every study
    return draw(name, study, size).to_dict(validate=study == "effect")


@cache
def svg(name: str, study: str, size: str = "page") -> str:
    return exhibit.to_svg(draw(name, study, size))


def title(name: str, study: str) -> str:
    return " ".join(spec(name, study)["title"]["text"])


def walk(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        yield part
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from walk(inner)


@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize("name", DRAWN)
def test_every_figure_is_made_and_told(name, study):
    assert draw(name, study).description.strip()
    assert spec(name, study)["config"]["font"] == theme.MEASURED


@pytest.mark.parametrize("study", ["effect", "rare groups"])
@pytest.mark.parametrize("name", DRAWN)
def test_every_figure_becomes_svg(name, study):
    assert "NaN" not in svg(name, study) and "<text" in svg(name, study)


@pytest.mark.parametrize("name", DRAWN)
def test_slides_are_drawn_larger_and_fit(name):
    own = draw(name, "effect", "slide").config
    assert own["title"]["fontSize"] > theme.config()["title"]["fontSize"]
    shown = exhibit.slide("fig-slide", draw(name, "effect", "slide")).markdown
    width, height = map(float, re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', shown).groups())
    assert width < 1280 and height < 520


@pytest.mark.parametrize("name", DRAWN)
def test_pages_are_as_wide_as_the_column(name):
    width = float(re.search(r'width="([\d.]+)"', svg(name, "effect"))[1])
    assert 600 < width < 800


def test_titles_claim_nothing_on_a_null_cohort():
    for name in ("baseline_groups", "baseline_gaps"):
        assert title(name, "null") == "No difference between groups can be told from noise", name
    for name in ("weighting_changes", "postprocessing_changes"):
        assert title(name, "null") == "No change can be told from noise", name
    assert "no group's change can be told from noise" in title("who_gains", "null")


def test_titles_of_the_further_questions_claim_nothing_on_a_null_cohort():
    assert title("amplification", "null").startswith("By no attribute can the model be shown to amplify")


def test_titles_of_the_further_questions_name_what_was_decided():
    assert title("amplification", "effect") == "The model amplifies what the data hold by view"
    assert re.search("miscalibrated beyond noise in [1-8] of 8 groups", title("calibration", "effect"))
    told = draw("amplification", "effect").description
    row = bundle(STUDIES["effect"]).amplification.filter(contrast="all groups", attribute="view").row(0, named=True)
    assert f"view {100 * row['value']:+.1f}, amplifies" in told


def test_the_diagonal_is_drawn_and_every_curve_stays_within_its_interval():
    rows = [r for own in spec("calibration", "effect")["datasets"].values() for r in own if "observed" in r]
    assert rows and all(r["low"] <= r["observed"] + 1e-9 and r["observed"] <= r["high"] + 1e-9 for r in rows)
    assert {r["attribute"] for r in rows} == {OVERALL, *DEFAULTS}


def test_titles_name_an_effect_that_is_there():
    assert re.match(r"[TF]PR differs most: AP against PA, \+\d", title("baseline_gaps", "effect"))


def test_groups_keep_one_colour_and_shape_in_every_figure():
    seen: dict[str, set[tuple[str, str]]] = {}
    for name in ("baseline_groups", "weights"):
        for rows in spec(name, "effect")["datasets"].values():
            for row in rows:
                if "|" in row.get("row", "") and row.get("colour"):
                    seen.setdefault(row["row"].split("|")[1], set()).add((row["colour"], row["shape"]))
    looks = {group: {(look.colour, look.shape)} for (_, group), look in theme.GROUPS.items()}
    assert {group: seen[group] for group in looks} == looks


def test_every_group_has_a_look_of_its_own_and_colours_differ_in_grey_or_shape():
    named = {(a.name, group) for a in DEFAULTS.values() for group in a.groups} | {(OVERALL, "all")}
    assert named == set(theme.GROUPS)
    assert len({look.colour for look in theme.GROUPS.values()}) == len(theme.GROUPS)
    for attribute in DEFAULTS.values():
        shapes = [theme.GROUPS[attribute.name, group].shape for group in attribute.groups]
        assert len(set(shapes)) == len(shapes)
    assert len({(look.shape, look.hollow) for look in theme.VERDICTS.values()}) >= len(theme.VERDICTS) - 1


def test_a_group_that_cannot_be_estimated_is_shown_and_said():
    for name in ("baseline_groups", "baseline_gaps", "who_gains", "amplification"):
        assert NOT_ESTIMABLE in svg(name, "rare groups"), name
    assert "AP" in svg("baseline_groups", "rare groups") and "&gt;60" in svg("baseline_groups", "rare groups")


def test_without_methods_figures_say_that_there_is_nothing():
    for name in ("weighting_changes", "postprocessing_changes", "optimism", "weights", "who_gains"):
        assert draw(name, "baseline only").description.startswith("No figure: "), name


def test_one_seed_is_not_called_a_spread():
    assert "cannot be seen" in title("seed_spread", "one seed")
    assert "by seed" not in " ".join(spec("baseline_groups", "one seed")["title"]["subtitle"])


def test_every_dot_with_an_interval_lies_in_it():
    for name in ("baseline_groups", "baseline_gaps"):
        for rows in spec(name, "effect")["datasets"].values():
            for row in rows:
                if row.get("value") is not None:
                    assert row["low"] - 1e-9 <= row["value"] <= row["high"] + 1e-9, (name, row)


def test_charts_need_no_network():
    for name in DRAWN:
        asked = [part["url"] for part in walk(spec(name, "effect")) if isinstance(part.get("url"), str)]
        assert all(url.startswith("data:") for url in asked), name


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
        *(look for _, look in theme.LABELS.values()),
    ]
    for look in looks:
        light, dark = sorted((_luminance(look.colour), ground), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 3, look
