"""Data models whose mistakes are one sentence: what it is, where, and what is allowed."""

from collections.abc import Mapping
from functools import wraps
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from lib.messages import message

CONFIG = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)
"""Unknown keys and values of another type are mistakes; the text below a field describes it."""
LONGEST = 60
"""Characters of a wrong value that are shown."""
OTHER_KINDS = {"string": "text in quotes", "boolean": "true or false", "object": "a table"}
"""What is allowed where it is neither a number nor a list."""


class Model(BaseModel):
    """A table of a file."""

    model_config = CONFIG


def first_mistake(error: ValidationError, schema: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    """Where the first mistake is (keys from the outermost on) and what is wrong there, without a full stop.

    `schema` is the JSON schema of the model. Mistakes within a list are those of the list.
    """
    wrong = error.errors(include_url=False)[0]
    place = tuple(part for part in wrong["loc"] if isinstance(part, str))
    parent, key = schema_at(schema, place[:-1]), place[-1] if place else ""
    parent = _resolved(parent.get("items", parent), schema)
    if wrong["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return place, message("{key!r} is unknown; allowed are {allowed}", key, sorted(parent.get("properties", {})))
    if wrong["type"] == "missing":
        return place, message("{key!r} is missing; needed are {needed}", key, sorted(parent.get("required", [])))
    value: Any = wrong["input"]
    within = wrong["loc"][len(place) :]
    allowed = allowed_values(schema_at(schema, place), schema)
    if within:
        return place, message("{key} holds {value}; allowed is {allowed}", key, _shown(value), allowed)
    return place, message("{key} is {value}; allowed is {allowed}", key, _shown(value), allowed)


def in_one_sentence(kind: type) -> type:
    """Decorator of a pydantic dataclass: what is wrong with its arguments is a ValueError of one sentence."""
    validate = kind.__init__

    @wraps(validate)
    def initialise(self: Any, *arguments: Any, **named: Any) -> None:
        try:
            validate(self, *arguments, **named)
        except ValidationError as error:
            raise ValueError(f"{first_mistake(error, TypeAdapter(kind).json_schema())[1]}.") from None

    kind.__init__ = initialise
    return kind


def schema_at(schema: Mapping[str, Any], place: tuple[str, ...]) -> Mapping[str, Any]:
    """The part of a JSON schema that describes the value at `place`; lists are passed through to what they hold."""
    part = _resolved(schema, schema)
    for key in place:
        part = _resolved(part.get("items", part), schema)
        part = _resolved(part.get("properties", {}).get(key, {}), schema)
    return part


def allowed_values(part: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """What the JSON schema `part` (of `schema`) allows, in words: `a whole number from 32 to 1024`."""
    part = _resolved(part, schema)
    if choices := part.get("enum") or ([part["const"]] if "const" in part else None):
        return message(" or ").join(f'"{choice}"' for choice in choices)
    kind = part.get("type")
    if kind in ("integer", "number"):
        return (message("a whole number") if kind == "integer" else message("a number")) + _range(part)
    if kind == "array":
        return _list(part, schema)
    return message(OTHER_KINDS.get(kind, "any value"))


def _list(part: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    items = _resolved(part.get("items", {}), schema)
    if names := items.get("enum"):
        words = message("a list of these names: {names}", names)
    elif items.get("type") == "integer":
        words = message("a list of whole numbers") + _range(items)
    elif items.get("type") == "string":
        words = message("a list of texts in quotes")
    else:
        words = message("a list of tables of {keys}", list(items.get("properties", {})))
    if also := items.get("also"):
        words += message(", and {names} of most", message(" and ").join(also))
    if least := part.get("minItems"):
        words += message("; at least {least}", least)
    if most := part.get("maxItems"):
        words += message(", at most {most}", most)
    words += message(", each once") if part.get("uniqueItems") else ""
    return words + (message(', "{first}" first', part["first"]) if "first" in part else "")


def _range(part: Mapping[str, Any]) -> str:
    least, above = part.get("minimum"), part.get("exclusiveMinimum")
    most, below = part.get("maximum"), part.get("exclusiveMaximum")
    if least is not None and most is not None:
        return message(" from {least} to {most}", least, most)
    ends = [message("from {least}", least)] if least is not None else []
    ends += [message("above {least}", above)] if above is not None else []
    ends += [message("to {most}", most)] if most is not None else []
    ends += [message("below {most}", below)] if below is not None else []
    return f" {message(' and ').join(ends)}" if ends else ""


def _resolved(part: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference, and what may also be left out (null)."""
    if "anyOf" in part:
        part = {k: v for k, v in part.items() if k != "anyOf"} | next(
            dict(one) for one in part["anyOf"] if one.get("type") != "null"
        )
    if "$ref" in part:
        part = {k: v for k, v in part.items() if k != "$ref"} | schema["$defs"][part["$ref"].rsplit("/", 1)[1]]
    if len(part.get("allOf", ())) == 1:
        part = _resolved(part["allOf"][0], schema)
    return part


def _shown(value: Any) -> str:
    words = f"{value!r}"
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 3]}..."
