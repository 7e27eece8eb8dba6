"""What `study.toml` may say: one model, by which the file is checked and from which `docs/settings.md` is written."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError, WithJsonSchema, create_model

from lib import names
from lib.messages import SettingsError, languages, message
from lib.schema import Model, allowed_values, first_mistake
from lib.training.settings import ComputeSettings, TrainingSettings


def _list(items: Any, first: str | None = None, most: int | None = None, least: int = 1) -> Any:
    """A list of `items`, each once."""

    def check(values: list) -> list:
        if len(set(values)) < len(values) or (first and values[0] != first):
            raise ValueError
        return values

    keywords = {"uniqueItems": True} | ({"first": first} if first else {})
    return Annotated[
        list[items], Field(min_length=least, max_length=most, json_schema_extra=keywords), AfterValidator(check)
    ]


def _known(name: str) -> str:
    if not names.is_weighting(name):
        raise ValueError
    return name


_OTHERS = [f"{names.BY_PATIENT}NAME", f"{names.PLACEBO}NAME"]
Weighting = Annotated[
    str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": list(names.WEIGHTINGS), "also": _OTHERS})
]


def _stated() -> dict[str, Any]:
    """The fields of `TrainingSettings` that `study.toml` may state; None: as the network's recipe has it."""
    fields = {}
    for name, field in TrainingSettings.__pydantic_fields__.items():
        if name != "precision":  # where networks are trained decides
            kind = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
            default = field.default if kind is field.annotation else None
            fields[name] = (kind if default else kind | None, Field(default, description=field.description))
    return fields


class Weightings(Model):
    weightings: _list(Weighting, first=names.BASELINE_WEIGHTING) = [names.BASELINE_WEIGHTING]
    """Weightings of the training images, each trained with every seed."""
    seeds: _list(Annotated[int, Field(ge=0, le=2**32 - 1)]) = [1, 2, 3]
    """Seeds of everything random; the more there are, the better the noise of retraining is known."""


Training = create_model("Training", __base__=Weightings, **_stated())


class Audit(Model):
    attributes: _list(str, most=names.MOST_ATTRIBUTES) = list(names.DEFAULTS)
    """Attributes whose groups are compared: sex, age_group, view, or a column of `metadata.csv`, as in "race:Race=White"."""
    postprocessings: _list(Literal[*names.POSTPROCESSINGS], first=names.BASELINE_POSTPROCESSING) = list(
        names.POSTPROCESSINGS
    )
    """Adjustments of decisions, each with every weighting."""
    margin: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    """Differences of rates under it count as none (0.05: five points)."""
    folds: Annotated[int, Field(ge=2)] = 5
    """Parts of the patients: each is judged by adjustments that were fitted on the others."""
    smallest_cell: Annotated[int, Field(ge=1)] = 20
    """Patients of a group and label under which nothing is estimated."""


class Preferences(Model):
    attribute: str = "view"
    """Attribute whose gap matters most, one of those audited."""
    largest_loss: Annotated[float, Field(ge=0, le=0.5)] = 0.02
    """Acceptable loss of balanced accuracy (0.02: two points)."""
    may_use_demographics: bool = False
    """Whether a decision may ask for sex or age; the view is no demographic."""
    rejected: _list(Literal[*names.POSTPROCESSINGS], least=0) = ["equal_selection"]
    """Post-processings that are tried and never recommended, because one does not hold fair what they aim at."""


class Hospital(Model):
    patients_per_year: Annotated[int, Field(ge=1)] | None = None
    """Patients of a year, for whom the report counts errors."""
    prevalence: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Share of them that is sick."""


class Edition(Model):
    title: str | None = None
    """Title in that language."""
    subtitle: str | None = None
    """Line below the title."""


class _Report(Model):
    title: str = "Is this chest X-ray classifier fair?"
    """Title of the report and of the slides."""
    subtitle: str = ""
    """Line below the title."""
    authors: Annotated[list[str], Field(min_length=1)] = ["The audit team"]
    """Names of those who sign it."""
    lang: Literal[*languages()] = "en"
    """Language of the report and of the slides."""
    chapters: list[str] = []
    """Files of the chapters after index.qmd; without a line here a chapter is left out."""
    appendices: list[str] = []
    """Files of the appendices."""
    examples: bool = False
    """Whether the pages show images of the surest errors, where cohort and networks are on this machine; not to be passed on."""
    language: dict[str, str] = {}
    """Single words that Quarto adds, by its names for them, as in crossref-fig-title = "Fig."."""


Report = create_model(
    "Report",
    __base__=_Report,
    **{
        code: (
            Edition | None,
            Field(None, description=f"What differs in the edition {code!r}: a table of title and subtitle."),
        )
        for code in languages()
    },
)


class Member(Model):
    who: str
    """Name."""
    did: str = ""
    """Part of the work."""
    when: str = ""
    """Time of it."""


class Group(Model):
    members: list[Member] = []
    """Who did what: a row of the slide for each."""


class Published(Model):
    publish_predictions: bool | None = None
    """Whether scores by image name are written with the results; left out, those of the public cohort alone are."""


class StudySettings(Model):
    """All of `study.toml`; a table of which everything may be left out may be left out itself."""

    cohort: str
    """Folder of data/ whose results the report shows; COHORT=path overrides it."""
    source: str
    """Where the images come from, as the report calls it; one with "ChestX-ray" in it is told of as the NIH's."""
    training: Training = Field(default_factory=Training)
    """What is trained."""
    audit: Audit = Field(default_factory=Audit)
    """What is compared."""
    preferences: Preferences = Field(default_factory=Preferences)
    """What the recommendation of the report is computed from."""
    hospital: Hospital = Field(default_factory=Hospital)
    """For "how many a year": the report then tells it."""
    report: Report = Field(default_factory=Report)
    """Names and contents of the report and the slides."""
    group: Group = Field(default_factory=Group)
    """Who did what."""
    results: Published = Field(default_factory=Published)
    """What is kept of a study."""
    compute: ComputeSettings = Field(default_factory=ComputeSettings)
    """Where networks are trained; results differ by rounding at most."""


def checked(settings: dict[str, Any], path: Path) -> StudySettings:
    """The settings read from `path`. Raises `SettingsError`, one sentence with file and line."""
    try:
        return StudySettings.model_validate(settings)
    except ValidationError as error:
        place, wrong = first_mistake(error, StudySettings.model_json_schema())
        raise SettingsError("{place}: {wrong}.", located(path, place), wrong) from None


def located(path: Path, place: tuple[str, ...]) -> str:
    """Where a key stands, or the table in which it is missing: `study.toml, line 7, [training]`."""
    lines: dict[str, int] = {}
    table, text = "", path.read_text("utf-8") if path.is_file() else ""
    for number, written in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[([^\[\]]+)\]", written):
            table = f"{header[1].strip()}."
            lines.setdefault(table.removesuffix("."), number)
        elif key := re.match(r"""\s*["']?([\w-]+)["']?\s*=""", written):
            lines.setdefault(f"{table}{key[1]}", number)
    known = (".".join(place[:depth]) for depth in range(len(place), 0, -1))
    line = next((lines[name] for name in known if name in lines), None)
    parts = [f"{path}", *([message("line {line}", line)] if line else [])]
    return ", ".join([*parts, f"[{'.'.join(place[:-1])}]"] if place[:-1] else parts)


def settings_page() -> str:
    """All settings as a page in Markdown: `docs/settings.md`."""
    schema = StudySettings.model_json_schema()
    tables = {
        name: schema["$defs"][part["$ref"].rsplit("/", 1)[1]]
        for name, part in schema["properties"].items()
        if "$ref" in part
    }
    top = {"properties": {name: part for name, part in schema["properties"].items() if name not in tables}}
    sections = [_PAGE, _section("No table", "At the top of the file.", schema | top, schema)]
    for name, table in tables.items():
        sections.append(_section(f"[{name}]", schema["properties"][name]["description"], table, schema))
    return "\n\n".join(sections) + "\n"


_PAGE = """# Settings of study.toml

Everything that `study.toml` may say. A key that is left out has the value under *default*; where none stands, the
recipe of the network decides (`lib/training/networks`). A value that is not allowed is a sentence with its line."""


def _section(title: str, about: str, table: dict[str, Any], schema: dict[str, Any]) -> str:
    lines = [f"## {title}", "", about, "", "| key | default | allowed | what it is |", "|---|---|---|---|"]
    for key, part in table["properties"].items():
        default = "" if part.get("default") is None else f"`{_toml(part['default'])}`"
        default = "needed" if key in table.get("required", ()) else default
        allowed = allowed_values(part, schema)
        lines.append(f"| `{key}` | {default} | {allowed} | {part['description']} |".replace("|  |", "| |"))
    return "\n".join(lines)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(_toml(one) for one in value)}]"
    return f'"{value}"' if isinstance(value, str) else f"{value}"
