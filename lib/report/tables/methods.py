"""Tables of the untouched classifier, of weightings, of rules and of the options: what each does, what it costs, and what is left of the gaps."""

from great_tables import GT

from lib.names import BASELINE
from lib.report import facts
from lib.report.facts import account, baseline, choice, decide, rules, whatif
from lib.report.facts.effects import FIGURES, Effects, gather
from lib.report.registry import Facts, Material, table
from lib.report.tables.cells import heads, listed, listing, table_of
from lib.results import Results


@table(baseline.of_parity)
def parity(material: Material) -> GT:
    """A row for each demand, a column for each attribute."""
    rows = [
        {"demand": material("demand", own=demand)}
        | {name: material("value", own=demand, value=value) for name, value in demand["values"].items()}
        for demand in material["demands"]
    ]
    labels = {name: material.language.attribute(own) for name, own in material.study.attributes.items()}
    return table_of(rows, labels, material.language, stub="demand")


@table(gather)
def effects(material: Material) -> GT:
    """The untouched baseline and a row for each method, under what may be said of it."""
    shown = material["shown"]
    rows = [row for e in shown for row in _rows(material, e)]
    needs = ("needs",) if any(own["needs"] and not e["common"] for e in shown for own in e["methods"]) else ()
    elsewhere = ("elsewhere",) if any(e["elsewhere"] for e in shown) else ()
    labels = heads(material, (*needs, *FIGURES, *elsewhere))
    return table_of(rows, labels, material.language, stub="method", heading="verdict", right=FIGURES)


def _rows(material: Material, e: Effects) -> list[dict[str, str]]:
    cells = {"method": material.language.sentence(material.language.method(BASELINE)), "needs": ""}
    cells |= {"verdict": material("start", e=e), "elsewhere": material("elsewhere", effect=e, e=e)}
    rows = [cells | {metric: material("untouched", metric=metric, before=e["before"][metric]) for metric in FIGURES}]
    for effect in e["methods"]:
        cells = {metric: material("figure", metric=metric, o=effect["outcomes"].get(metric)) for metric in FIGURES}
        names = ("method", "needs", "verdict", "elsewhere")
        rows.append(cells | {name: material(name, effect=effect, e=e) for name in names})
    return rows


def _options(study: Results, brief: bool = False) -> Facts | None:
    d = decide(study)
    return {"d": d, "brief": brief} if d.options else None


@table(_options)
def options(material: Material) -> GT:
    """A row for each option that is compared: of the sick of each group those missed, of the healthy those alarmed, and both gaps left.

    Of 100 people, on a page with the widest gap by another attribute and balanced accuracy; of 1,000 on a slide. `brief`, on the first page:
    of 100, doing nothing and what might be done instead, with what must be known."""
    d, brief, slide = material["d"], material["brief"], material.size == "slide"
    compared = d.compared
    others = ("others",) if any(option.elsewhere for option in compared) else ()
    once = ("once",) if any(gap for gaps in d.fitted.values() for gap in gaps.values()) else ()
    gaps = ("kept",) if slide else ("gap", *once, *others, "price")
    columns, per = ("missed", "alarmed", *(("needs",) if brief else gaps)), 1000 if slide and not brief else 100
    labels = {name: material(f"{name}_head", per=per) for name in columns}
    told = [{n: material(n, o=o, per=per) for n in ("option", *columns)} for o in compared]
    return table_of(told, labels, material.language, stub="option", right=())


@table(rules.thresholds)
def thresholds(material: Material) -> GT:
    """A row for each rule, a column for each group: mean, smallest and largest cut-off."""
    attribute = material["d"].attribute
    rows = [
        {"rule": material("rule", r=rule)} | {group: material("cut", c=cut) for group, cut in cuts.items()}
        for rule, cuts in material["rules"].items()
    ]
    labels = {group: material.language.group(group, attribute) for group in attribute.groups}
    return table_of(rows, labels, material.language, stub="rule")


@table(account.left)
def left(material: Material) -> GT:
    """A row for each way of judging what our choice leaves, and, on a page, what is left where nobody may be missed more often; the untouched classifier first."""
    spared = {} if material.size == "slide" else material["spared"]
    judged = {"before": material["before"], **material["ways"], **spared}
    rows = [{"way": way, "gaps": gaps} for way, gaps in judged.items()]
    return listing(material, rows, ("missed", "alarmed", "varies", "judged"), stub="name", right=())


@table(account.sensitive)
def sensitive(material: Material) -> GT:
    """A row for everyone and for each group, under each cut-off; on a slide, where fewer fit, under 0.5, the best for all, and the next."""
    points = material["points"]
    if material.size == "slide":
        points = [point for point in (points[0], material["best"], points[1]) if point]
    rows = [{"point": point, "own": group} for point in points for group in point["groups"]]
    return listing(material, rows, ("missed", "alarmed", "spared"), stub="name", heading="heading")


# whether a gap lies in the place of the cut-off, or in how well each group is ranked
columns = ("whole", "cut", "ranking")
listed("why_gaps", facts.weightings.why, "parts", "p", columns, stub="gap", heading="attribute")
# how many labels would have to be wrong
columns = ("whose", "alike", "fewest", "looks")
listed("label_errors", whatif.label_errors, "shown", "t", columns, stub="gap", right=())
# of each weighting: effective share of the images, how often the first group is seen, how often each is sick there
columns = ("effective", "often", "sick", "sick_other", "tie")
listed("weightings", facts.weightings.gather, "lines", "own", columns, stub="weighting")
# what the image shows of each attribute, its tie with the label, its widest gaps, before and after our choice
columns = ("visible", "tie", "missed", "alarmed", "missed_after", "alarmed_after")
listed("attributes", account.attributes, "lines", "own", columns, stub="name", right=())
# of each correction: balanced accuracy, and the widest gaps that are left by both attributes
columns = ("change", "second_missed", "second_alarmed", "first_missed", "first_alarmed")
listed("second", choice.second, "lines", "own", columns, stub="name", right=())
# of everyone and each group, under each option: how many are called sick, and what a call is worth
columns = ("called", "right", "healthy", "here", "rare")
listed("predictive", account.predictive, "lines", "own", columns, stub="name", heading="heading")
# crossings of two groups: of the sick found and of the healthy alarmed, by themselves and drawn together
columns = ("patients", "tpr_raw", "tpr", "fpr_raw", "fpr")
listed("pooled_crossings", baseline.of_crossings, "found", "c", columns, stub="group", heading="heading")
# loss and change have intervals that hold for all candidates together
columns, right = ("needs", "loss", "gap", "change"), ("loss", "gap", "change")
listed("recommendation", choice.recommendation, "candidates", "c", columns, stub="method", heading="role", right=right)
# of each group under each cost: what is replaced by what, and what becomes of the sick
columns = ("cost", "wanted", "share", "level", "found")
listed("replaced_scores", rules.replaced, "shown", "own", columns, stub="group", heading="rule")
# of each group under each option
listed("yearly", account.yearly, "lines", "own", ("found", "alarmed"), stub="name", heading="heading")
# what is held fixed: the gaps that then stay, and what may still differ
listed("held", whatif.held, "lines", "own", ("missed", "alarmed", "differs"), stub="name", heading="heading", right=())
