"""The defense: how long each slide takes, who did what, and what is told on slides alone."""

from typing import Any

from great_tables import GT

from lib.names import BASELINE_WEIGHTING, RANDOMISED
from lib.report.facts.account import needed
from lib.report.facts.choice import crossed, front
from lib.report.facts.cohort import simpson
from lib.report.facts.decision import Decision
from lib.report.facts.effects import RULE, WEIGHTING, effects
from lib.report.facts.gaps import by_metric, widest
from lib.report.facts.pictures import of_figure
from lib.report.facts.principles import interval_levels
from lib.report.facts.rules import adjusting, wrong_groups
from lib.report.facts.study import study_facts
from lib.report.facts.values import BALANCED, judged, keys_of, rate, row
from lib.report.facts.weightings import mechanism
from lib.report.registry import Facts, Material, sentences, table
from lib.report.tables.cells import table_of
from lib.report.words.language import Words, language
from lib.report.words.templates import tell
from lib.results import Results
from lib.settings import ROOT, read_settings

PLACEHOLDERS = ("First member", "Second member", "Third member", "Fourth member")
"""Names that `study.toml` comes with."""
EQUAL_SELECTION = "equal_selection"


class Clock:
    """Tells on each slide how long it takes, what has passed, and who begins to speak, of a talk of so many minutes: call it once a slide.

    The members of the `study`'s group share the time without the `reserve` (minutes), each for slides in a row.
    """

    def __init__(self, minutes: float, reserve: float = 0, study: Results | None = None):
        self.total, self.passed, self.spoken = round(60 * minutes), 0, round(60 * (minutes - reserve))
        self.study, self.group = study, members(study) if study else None
        self.turns = (0,) * len(self.group["members"] if self.group else ())

    def __call__(self, seconds: int) -> Words:
        """A slide of so many seconds. Raises ValueError when the slides take longer than the talk."""
        self.passed += seconds
        if self.passed > self.total:
            raise ValueError(f"the slides take {clock(self.passed)} so far, the talk {clock(self.total)}.")
        told = f"{clock(seconds)} · {clock(self.passed)} / {clock(self.total)}"
        begins = self._speaker(seconds) if self.group else ""
        return Words(f"{told} · {begins}" if begins else told)

    def _speaker(self, seconds: int) -> Words:
        people = self.group["members"]
        place = min(len(people) - 1, int((self.passed - seconds / 2) * len(people) / self.spoken))
        begins = not self.turns[place]
        self.turns = tuple(turn + seconds * (k == place) for k, turn in enumerate(self.turns))
        if not begins:
            return Words("")
        who = None if self.group["placeholders"] else people[place]["who"]
        return tell(language(self.study.language), "tables/group", "speaker", number=place + 1, who=who)


def clock(seconds: int) -> str:
    """`1:30`."""
    return f"{seconds // 60}:{seconds % 60:02}"


def members(study: Results, spoken: tuple[int, ...] = ()) -> Facts | None:
    """Who did what, and when: the table `[group]` of `study.toml`; whether names in it are those that it comes with.

    `spoken`: the seconds that each speaks."""
    rows = read_settings(ROOT)["group"].get("members", [])
    told = [row | ({"spoken": clock(spoken[k])} if spoken else {}) for k, row in enumerate(rows)]
    return {"members": told, "placeholders": any(row["who"] in PLACEHOLDERS for row in rows)} if rows else None


@table(members)
def group(material: Material) -> GT:
    """A row for each member; their names once they are known."""
    told = ("did", "when", "spoken") if material["placeholders"] else ("who", "did", "when", "spoken")
    columns = [name for name in told if any(name in row for row in material["members"])]
    rows = [{key: material("cell", text=str(row.get(key, ""))) for key in columns} for row in material["members"]]
    return table_of(rows, {key: material(key) for key in columns}, material.language, right=())


@sentences("talk")
def talk(study: Results) -> dict[str, Any]:
    """What slides say in their own words, and what is spoken to them. `pictured`: mean radiographs are shown;
    `weighted`, `ruled`: Effects; `moved`: weightings that are told to change balanced accuracy; `coin`: the rule that narrows most tosses one, our choice does not; `beside`: of each other attribute the first finding;
    `acting`: something is recommended; `start`: the widest gap (Gap) without any correction;
    `grown`: gaps by other attributes that our rule is told to make grow; `paid`: somebody is told to pay for our choice; `firm` and `alone`: as `crossed` has them, `here` how many of `firm` are columns of its figure; `counted`; `selection`: the gaps that equal calls leave;
    `one_found` and `cut`: the share of sick that one best cut-off for all finds, and where it lies; `sure_cut`: that the place of the cut-off makes the main gap is shown. The rest: `mechanism`, `study`."""
    named, facts, ruled, grid = members(study), mechanism(study), effects(study, RULE), crossed(study)
    d, acting = facts["d"], facts["d"].change is not None
    best = ruled["best"]["method"] if ruled and ruled["best"] else None
    beside = {finding.attribute: finding for finding in reversed(d.other) if finding.attribute != d.attribute}
    weighted = effects(study, WEIGHTING)
    mapped, levels = front(study), interval_levels(study)
    equal = by_metric(study, (BASELINE_WEIGHTING, EQUAL_SELECTION, d.attribute.name), d.attribute)
    single = keys_of(d.one_cut.method) if d.one_cut else None
    cuts = row(study, "thresholds", **single) if single else None
    main = [
        part
        for part in facts["parts"]
        if d.main and (part["attribute"], part["metric"]) == (d.main.attribute, d.main.metric)
    ]
    own = {
        "pictured": of_figure("radiographs", study) is not None,
        "weighted": weighted,
        "ruled": ruled,
        "moved": [own for own in (weighted or {}).get("methods", []) if own["outcomes"].get(BALANCED, {}).get("what")],
        "coin": acting and best is not None and best[1] in RANDOMISED and d.choice.rule not in (None, *RANDOMISED),
        "beside": list(beside.values()),
        "grown": [gap for gap in adjusting(study)["elsewhere"] if gap["grows"]] if acting else [],
        "acting": acting,
        "start": widest(d.options[0].gaps) if d.options else None,
        "paid": acting and any(not move["better"] for move in d.choice.moves),
        "firm": grid["firm"] if grid else [],
        "here": sum(rule in grid["rules"] for rule in grid["firm"]) if grid else 0,
        "alone": grid["alone"] if grid else [],
        "counted": _counted(study, d),
        "floor": d.tested["asked"],
        "needed": needed(study),
        "found_now": d.tested["now"],
        "found_then": d.tested["then"],
        "ill": {group: line["estimate"] for group, line in judged(study, d.attribute.name).items()},
        "selection": [gap.size.value for gap in equal.values()],
        "one_found": rate(study, "tpr", **single) if single else None,
        "cut": cuts["threshold"] if cuts else None,
        "sure_cut": bool(main and main[0]["cut"] and main[0]["cut"].shown),
        "methods": mapped["points"] if mapped else [],
        "pairs": len(grid["cells"]) if grid else 0,
        "narrower": levels["narrower"] if levels else None,
        "wrong": wrong_groups(study),
        "alike": simpson(study),
        "placeholders": named is not None and named["placeholders"],
        "group": [own | {"who": None if named["placeholders"] else own["who"]} for own in named["members"]]
        if named
        else [],
    }
    return study_facts(study) | facts | own


def _counted(study: Results, d: Decision) -> dict[str, Any] | None:
    """The group of the page's attribute whose `sick` and `healthy` patients exceed its `patients` most; None where nobody is in both."""
    here, shares = judged(study, d.attribute.name), d.options[0].shares if d.options else []
    told = [
        {"group": own.group, "sick": own.sick, "healthy": own.healthy, "patients": here[own.group]["patients"]}
        for own in shares
        if own.group in here and None not in (own.sick, own.healthy)
    ]
    most = max(told, key=lambda own: own["sick"] + own["healthy"] - own["patients"], default=None)
    return most if most and most["sick"] + most["healthy"] > most["patients"] else None
