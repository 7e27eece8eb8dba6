"""What methods do to balanced accuracy and to the gaps by the page's attribute: changes with their intervals."""

from dataclasses import replace

from lib.names import BASELINE_WEIGHTING, ERRORS, NOT_TOLD
from lib.report.facts.effects import BALANCED, FIGURES, Effect, Effects, Outcome, gather
from lib.report.facts.values import Estimate
from lib.report.figures.layout import Chart
from lib.report.figures.marks import POINTS, THOUSAND, Panel, around_zero, dot, dot_panels, roomy
from lib.report.registry import Material, figure
from lib.report.theme import VERDICTS
from lib.report.words.language import Language

MOST, ON_SLIDE = 20, 3
"""Methods drawn at most, those that do most first; a slide has one more, which fails or does least."""
SLIDE_WRAP = 40
"""Characters of a line of a row's label on a slide, where it says what a method does."""
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
    e, language = material["e"], material.language
    slide = material.size == "slide"
    methods = (*e.methods[:ON_SLIDE], *e.contrast_to(ON_SLIDE)) if slide else _foremost(e)
    rows = {effect.method: f"|{_plain(effect, language) if slide else _name(effect, language)}" for effect in methods}
    gaps = [change for metric in ERRORS for change in _changes(methods, metric)]
    domains = dict.fromkeys(ERRORS, around_zero([*gaps, *e.goals.values()], step=0.1, least=0.2))
    domains[BALANCED] = around_zero(_changes(methods, BALANCED), step=0.02, least=0.08)
    panels = []
    for metric in FIGURES:
        dots = []
        for effect in methods:
            outcome = effect.outcomes.get(metric)
            change = outcome.change if outcome else None
            dots.append(dot(rows[effect.method], change, LOOKS[_look(outcome) if change else "silent"]))
        heading, goals = str(material("heading", metric=metric)), [e.goals[metric]] if metric in e.goals else []
        axis = THOUSAND if slide else POINTS
        panels.append(Panel(dots, domains[metric], axis, heading, at=0, goals=goals, band=e.floor[metric]))
    seen = {_look(outcome) for effect in methods for outcome in effect.outcomes.values()}
    entries = [(str(material("mark", mark=name)), look) for name, look in LOOKS.items() if name in seen]
    measure = roomy(material.measure, rows.values())
    measure = replace(measure, wrap=SLIDE_WRAP, tallest=98) if slide else measure
    return dot_panels(material, rows.values(), panels, entries=entries, measure=measure, spacing=20)


def _foremost(e: Effects) -> tuple[Effect, ...]:
    """What is drawn where there is no room for all: those of which anything is told, and others as far as there is room."""
    kept = {effect.method for effect in (*e.told, *e.silent)[:MOST]}
    return tuple(effect for effect in e.methods if effect.method in kept)


def _name(effect: Effect, language: Language) -> str:
    """Of rules by the page's attribute, or by none, the name alone; that they go by it stands in the caption."""
    weighting, rule, _ = effect.method
    return language.rule(rule) if weighting == BASELINE_WEIGHTING else language.weighting(weighting)


def _plain(effect: Effect, language: Language) -> str:
    """What a method does, in words for everybody, and its name in brackets."""
    name, does = _name(effect, language), language.does(*effect.method[:2])
    return f"{does} ({name})" if does else name


def _changes(methods: tuple[Effect, ...], metric: str) -> list[Estimate | None]:
    return [effect.outcomes[metric].change for effect in methods if metric in effect.outcomes]


def _look(outcome: Outcome) -> str:
    if outcome.what is None:
        return "silent"
    side = "harms" if outcome.harms else "helps" if outcome.helps or outcome.what == "improved" else "differs"
    return side if outcome.sure or side == "differs" else f"{side} perhaps"
