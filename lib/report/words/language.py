"""A language of the report: how it writes (`writing`), and what it calls groups, metrics and methods.

Names stand in `lib/report/words/<language>/names.toml`. A project may override single names, and blocks of templates, in
`words/<language>/` at its top. Every public method of `Language` is a filter of the templates.
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from babel import UnknownLocaleError

from lib.names import BASELINE, BY_PATIENT, CROSSED, ERRORS, NO_TARGET, OVERALL, PLACEBO, SHOWN, SUGGESTED, Attribute
from lib.report.words.writing import MINUS, Writing
from lib.settings import ROOT, languages

HERE = Path(__file__).resolve().parent
OVERRIDES = ROOT / "words"
"""Where a project keeps words of its own: `words/<language>/`."""


class Words(str):
    """Text that Jupyter and Quarto take for Markdown when it stands alone or inline."""

    def _repr_markdown_(self) -> str:
        return str(self)


class TemplateFault(ValueError):
    """Words are missing or broken; the message is one sentence: file, line, what is wrong."""


@cache
def language(code: str) -> "Language":
    """The language of a code such as `en` or `fr`. Raises `TemplateFault` where there are no words."""
    return Language(code)


def _named(table: str) -> Callable[["Language", str], str]:
    """A method that names things of a table of `names.toml`."""
    return lambda language, key: language.named(key, table)


def _name(attribute: Attribute | str) -> str:
    return attribute if isinstance(attribute, str) else attribute.name


class Language(Writing):
    """What a language calls things; its public methods, and those of `Writing`, are filters."""

    metric, verdict, finding, split = map(_named, ("metrics", "verdicts", "findings", "splits"))
    """`TPR`; `shown`, also what a method did to a gap (`narrowed`); a finding of ChestX-ray14; `training`."""

    def __init__(self, code: str, folder: Path = HERE, overrides: Path = OVERRIDES) -> None:
        if not (folder / code / "names.toml").is_file():
            raise TemplateFault(f"{folder}: there are no words in {code!r}; there are {', '.join(languages())}.")
        self.code = code
        self.folders = [place for place in (folder / code, overrides / code) if place.is_dir()]
        tables: dict[str, Any] = {}
        for place in self.folders:
            for table, names in _read(place / "names.toml").items():
                tables[table] = tables.get(table, {}) | names
        try:
            super().__init__(tables)
        except (KeyError, ValueError, UnknownLocaleError) as error:
            raise TemplateFault(
                f"{folder / code / 'names.toml'}, [language]: locale is missing or wrong: {error}."
            ) from None

    def named(self, key: str, table: str) -> str:
        """The name of a thing in a table of `names.toml`; what is not there is told as it is, a word without underscores.

        An entry with `{label}` in it names all that is worded so: `images whose {label} is unknown`.
        """
        names: Mapping[str, str] = self._names.get(table, {})
        for pattern in (pattern for pattern in names if "{label}" in pattern and key not in names):
            before, after = pattern.split("{label}")
            if key.startswith(before) and key.endswith(after):
                label = key.removeprefix(before).removesuffix(after)
                return names[pattern].format(label=self.attribute(label.replace(" ", "_")))
        return names.get(key, key if " " in key else key.replace("_", " "))

    def by(self, attribute: Attribute | str) -> str:
        """What stands after "by" (French: after "selon", with its article)."""
        return self.attribute(attribute, "by")

    def attribute(self, attribute: Attribute | str, table: str = "attributes") -> str:
        """`age group`, as a heading has it; of a crossing both, of `overall` everyone."""
        name = _name(attribute)
        if name == OVERALL:
            return self.phrase("everyone")
        if CROSSED in name:
            return self.all(self.attribute(part, table) for part in name.split(CROSSED))
        names = self._names[table]
        label = attribute.label if isinstance(attribute, Attribute) else name.replace("_", " ")
        return names.get(name) or names["other"].format(label=label)

    def group(self, group: str, attribute: Attribute | str) -> str:
        """A group as a figure labels it; everyone where it is `all`, or the attribute is `overall`."""
        name = _name(attribute)
        if name == OVERALL or group == "all":
            return self.phrase("everyone")
        return self._names["groups"].get(f"{name}/{group}", group)

    def contrast(self, contrast: str, attribute: Attribute | str) -> str:
        """`AP - PA` as `AP − PA`, groups named."""
        return f" {MINUS} ".join(self.group(part, attribute) for part in contrast.split(" - "))

    def who(self, group: str, attribute: Attribute | str) -> str:
        """The people of a group: `women`, `people imaged in AP`."""
        name = _name(attribute)
        people = self._names["people"]
        names = {"group": self.group(group, attribute), "label": self.attribute(attribute)}
        return people.get(f"{name}/{group}") or people["other"].format(**names)

    def gap(self, metric: str, attribute: Attribute | str) -> str:
        """`TPR gap by view`; the metric alone where the attribute is `overall`."""
        if _name(attribute) == OVERALL:
            return self.metric(metric)
        return self.phrase("gap", metric=self.metric(metric), by=self.by(attribute))

    def side(self, gap: Any, interval: bool = True, how: str = "points") -> str:
        """A gap from the side of those who fare worse: `PA 6.2 (−4.6 to +18.6)`; without interval with stars. `how` is the name of a method."""
        if gap is None:
            return self.number(None)
        size, often = gap.size, getattr(self, how)(gap.size.value).lstrip("+")
        told = often if not often.strip("0.,") else self.held(f"{self.group(gap.worse, gap.attribute)} {often}")
        if not interval:
            return f"{told}{self.stars(size.verdict)}"
        signed = () if how == "points" else (True,)
        return f"{told} {self.held(self.bracket(size, how, *signed).strip())}".strip()

    def pair(self, gaps: Mapping[str, Any], how: str = "hundred", between: str = " / ", interval: bool = False) -> str:
        """What is left of the gaps in misses and in false alarms (by metric): `39 / 34`; a `?` where one is not estimable."""
        known = (gaps.get(metric) for metric in ERRORS)
        told = self.estimated if interval else lambda size, how: getattr(self, how)(size.value)
        return between.join("?" if gap is None else told(gap.size, how) for gap in known)

    def stars(self, verdict: str | None) -> str:
        """`**` where something is shown, `*` where it is suggested."""
        return {SHOWN: "**", SUGGESTED: "*"}.get(verdict or "", "")

    def label(self, label: int) -> str:
        """`sick` (1) or `healthy` (0)."""
        return self._names["labels"]["sick" if label else "healthy"]

    def weighting(self, name: str) -> str:
        """The name of a weighting of the registry, put together of its family and what it goes by."""
        names = self._names["weightings"]
        if name.startswith(PLACEBO):
            return names["placebo"].format(name=self.weighting(name.removeprefix(PLACEBO)))
        if name.startswith(BY_PATIENT):
            rest = self.weighting(name.removeprefix(BY_PATIENT))
            return names["by_patient"].format(patient=names["patient_balanced"], name=rest)
        if name in names:
            return names[name]
        families: Mapping[str, str] = self._names["weighting_families"]
        if name in families:
            return names["of_classes"].format(family=families[name])
        for family in sorted(families, key=len, reverse=True):
            if name.startswith(f"{family}_"):
                by = " × ".join(self.by(part) for part in name.removeprefix(f"{family}_").split("+"))
                return names["by"].format(family=families[family], by=by)
        return name.replace("_", " ")

    def rule(self, name: str, target: Attribute | str | None = None) -> str:
        """The name of a post-processing, with what it goes by."""
        rule = self.named(name, "postprocessings")
        if target is None or target == NO_TARGET:
            return rule
        return self.phrase("rule_by", rule=rule, by=self.by(target))

    def method(self, method: Sequence[str]) -> str:
        """A method (weighting, post-processing, target) without the parts that are the baseline's; the baseline by its own name."""
        weighting, rule, target = method
        parts = [] if weighting == BASELINE[0] else [self.weighting(weighting)]
        if rule != BASELINE[1]:
            parts.append(self.rule(rule, target))
        return self.phrase("with").join(parts) or self.phrase("baseline")

    def option(self, option: Any) -> str:
        """An option of the decision page, as it is spoken of everywhere: `training with other weights`, `a cut-off for each view`."""
        names = self._names["options"]
        other = names["method" if option.given else "weighting"]
        parts = [other.format(name=self.weighting(option.weighting))] if option.weighting else []
        if option.rule:
            plain = self.does(option.rule, target=option.target).split(", ")[0]
            parts.append(plain or names["rule"].format(name=self.rule(option.rule)))
        return self.all(parts) if parts else names["nothing"]

    def does(self, *methods: str | None, target: Attribute | None = None) -> str:
        """What weightings, families of them or post-processings do (`[plain]`) to each group of a `target`; empty where there are no words."""
        names: Mapping[str, str] = self._names["plain"]
        starts = [[name for name in names if method.startswith(name)] for method in methods if method]
        told = self.phrase("semicolon").join(names[max(fitting, key=len)] for fitting in starts if fitting)
        return told.format(group=self.attribute(target) if target else self.phrase("group"))

    def family(self, name: str) -> str:
        """A family of weightings, whatever it goes by, or a weighting that is none."""
        return self._names["weighting_families"].get(name) or self.weighting(name)

    def formula(self, family: str) -> str:
        """The formula of a family of weightings and its source, as Markdown; empty where there is none."""
        return self._names["formulas"].get(family, "")


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except tomllib.TOMLDecodeError as fault:
        raise TemplateFault(f"{path} is not TOML: {fault}.") from None
