"""What methods do to balanced accuracy and to the gaps by the page's attribute: changes with their intervals."""

import altair as alt

from lib.names import BASELINE_WEIGHTING, ERRORS, NOT_TOLD
from lib.report.facts.effects import BALANCED, FIGURES, Effect, Outcome, gather
from lib.report.figures.marks import (
    POINTS,
    Chart,
    around_zero,
    dot,
    dot_panel,
    in_lines,
    key,
    label_width,
    over,
    roomy,
    vertical,
    wrapped,
)
from lib.report.registry import Material, figure
from lib.report.theme import VERDICTS
from lib.report.words.language import Language

MOST = 20
ON_SLIDE = 5
"""Methods drawn at most, those that do most first."""
LOOKS = {
    "helps": VERDICTS["improves"],
    "helps perhaps": VERDICTS["improves perhaps"],
    "harms": VERDICTS["worsens"],
    "harms perhaps": VERDICTS["worsens perhaps"],
    "differs": VERDICTS["differs"],
    "silent": VERDICTS[NOT_TOLD],
}


@figure(gather)
def changes(material: Material) -> Chart:
    """A row for each method: the change of balanced accuracy, of the TPR gap and of the FPR gap; grey is what chance does."""
    e, own, measure = material["e"], material.language, material.measure
    methods = e.methods[: MOST if material.size == "page" else ON_SLIDE]
    rows = {effect.method: f"|{_name(effect, own)}" for effect in methods}
    labels = list(rows.values())
    measure = roomy(measure, labels)
    width = (measure.width - label_width(labels, measure) - 40) / 3
    reach = [c for m in ERRORS for c in _reach(methods, m)]
    domains = {metric: around_zero([*reach, *e.goals.values()], step=0.1, least=0.2) for metric in ERRORS}
    domains[BALANCED] = around_zero(_reach(methods, BALANCED), step=0.02, least=0.08)
    panels = []
    for metric in FIGURES:
        heading = wrapped(str(material("heading", metric=metric)), measure.characters(width, measure.small))
        panel = dot_panel(
            [_mark(rows[effect.method], effect.outcomes.get(metric)) for effect in methods],
            labels,
            measure=measure,
            width=width,
            domain=domains[metric],
            heading=heading,
            axis=POINTS,
            labelled=metric == BALANCED,
            at=0,
            band=e.floor[metric],
            ticks=4,
            own=own,
        )
        goals = [vertical(e.goals[metric], domains[metric])] if metric in e.goals else []
        panels.append(alt.layer(*goals, *panel.layer, width=panel.width, height=panel.height))
    seen = {_look(o) for effect in methods for o in effect.outcomes.values()}
    entries = [(str(material("mark", mark=name)), look) for name, look in LOOKS.items() if name in seen]
    return over(in_lines(panels, 3, 20), key(entries, measure, width=3 * width + 40))


def _name(effect: Effect, own: Language) -> str:
    """Of rules by the page's attribute, or by none, the name alone; that they go by it stands in the caption."""
    weighting, rule, _ = effect.method
    return own.rule(rule) if weighting == BASELINE_WEIGHTING else own.weighting(weighting)


def _reach(methods: tuple[Effect, ...], metric: str) -> list[float | None]:
    told = [own.outcomes[metric].change for own in methods if metric in own.outcomes]
    return [end for own in told if own for end in (own.value, own.low, own.high)]


def _look(outcome: Outcome) -> str:
    if outcome.what is None:
        return "silent"
    side = "harms" if outcome.harms else "helps" if outcome.helps or outcome.what == "improved" else "differs"
    return side if outcome.sure or side == "differs" else f"{side} perhaps"


def _mark(label: str, outcome: Outcome | None) -> dict:
    if outcome is None or outcome.change is None:
        return dot(label, None, None, None, LOOKS["silent"])
    return dot(label, outcome.change.value, outcome.change.low, outcome.change.high, LOOKS[_look(outcome)])
