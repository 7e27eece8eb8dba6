"""The attributes that `study.toml` asks for: those by which a cohort is read, checked and audited."""

from pathlib import Path

from lib.messages import message
from lib.settings import SettingsError, settings_error, settings_place
from lib.settings_schema import StudySettings
from lib.tabular import AttributeSpec, TableError, parse_attribute


def asked_attributes(settings: StudySettings, root: Path) -> list[AttributeSpec]:
    """What `[audit] attributes` asks for: `sex`, `race:Race`, `age:Patient Age:40,60`; the preferred one is among them.

    Raises `SettingsError`.
    """
    place = ("audit", "attributes")
    try:
        attributes = [parse_attribute(written, settings_place(root, place)) for written in settings.audit.attributes]
    except TableError as error:
        raise SettingsError(str(error)) from None
    names = [attribute.key for attribute in attributes]
    if len(set(names)) < len(names):
        raise settings_error(root, place, message("attributes names a column twice: {names}", ", ".join(names)))
    if (preferred := settings.preferences.attribute) not in names:
        raise settings_error(
            root,
            ("preferences", "attribute"),
            message("attribute is {name!r}; allowed is one that is audited: {names}", preferred, ", ".join(names)),
        )
    return attributes
