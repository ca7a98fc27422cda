"""YAML into dataclasses; a field that nobody knows is refused."""

from __future__ import annotations

import argparse
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import yaml

Settings = TypeVar("Settings")


def parse(kind: type[Settings], value: Any, where: str = "settings") -> Settings:
    """Throws ValueError, naming the field."""
    if not isinstance(value, dict):
        raise ValueError(f"{where} is no mapping")
    hints = get_type_hints(kind)
    known = {item.name: item for item in fields(kind)}  # type: ignore[arg-type]
    unknown = set(value) - set(known)
    missing = {
        name for name, f in known.items() if f.default is MISSING and f.default_factory is MISSING and name not in value
    }
    if unknown or missing:
        raise ValueError(f"{where}: unknown {sorted(unknown)}, missing {sorted(missing)}")
    return kind(**{name: _convert(hints[name], given, f"{where}.{name}") for name, given in value.items()})


def _convert(kind: Any, value: Any, where: str) -> Any:
    if type(None) in get_args(kind):
        if value is None:
            return None
        (kind,) = (option for option in get_args(kind) if option is not type(None))
    if is_dataclass(kind):
        return parse(kind, value, where)  # type: ignore[type-var]
    if kind is Path:
        return Path(value).expanduser()
    if get_origin(kind) is tuple:
        return tuple(value)
    if get_origin(kind) is dict and is_dataclass(get_args(kind)[1]):
        return {key: parse(get_args(kind)[1], item, f"{where}.{key}") for key, item in value.items()}
    if kind is float:
        return float(value)
    return value


def from_command_line(kind: type[Settings], about: str) -> Settings:
    """`--settings FILE`, and `--set stage1.hours=8` for single fields."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE")
    given = parser.parse_args()
    values = yaml.safe_load(given.settings.read_text())
    for change in given.set:
        path, _, value = change.partition("=")
        *outer, last = path.split(".")
        place = values
        for name in outer:
            place = place.setdefault(name, {})
        place[last] = yaml.safe_load(value)
    return parse(kind, values)
