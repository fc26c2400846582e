"""How ``--set`` reaches a number: dotted keys into settings and parts, text to the type that is annotated there."""

from __future__ import annotations

import dataclasses
import inspect
import math
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

from ltr.config.errors import SettingsError
from ltr.config.part import Option, Part, argument_texts
from ltr.registry import near_names

C = TypeVar("C")

LONGEST_TEXT = 1000  # characters of a value; numbers of thousands of digits are nobody's setting


def apply_overrides(config: C, overrides: Mapping[str, Any]) -> C:
    """Returns a copy of a dataclass with the named fields set, converted to their types.

    A field of a nested dataclass is named with a dot, ``labels.radius``; so is an option of a :class:`Part`. A part
    itself is set by the name of another one, which comes first and keeps those options that it has, too.

    Args:
        config: an instance of a dataclass.
        overrides: text, as ``--set`` gives it, or values of the field's type, by key.

    Raises:
        SettingsError: an unknown key, with near names and, if other parts have a setting of that name, with its whole
            key; or a value that is none of the field's type.
    """
    if not dataclasses.is_dataclass(config) or isinstance(config, type):
        raise TypeError(f"hyper-parameters must be an instance of a dataclass, not {config!r}")
    return cast(C, _apply(config, {tuple(key.split(".")): (key, value) for key, value in overrides.items()}, config))


def _apply(config: Any, changes: Mapping[tuple[str, ...], tuple[str, Any]], whole: Any) -> Any:
    """Returns a dataclass, part or mapping with all its changes made at once, so that they are checked together."""
    by_name: dict[str, dict[tuple[str, ...], tuple[str, Any]]] = {}
    for path, change in changes.items():
        by_name.setdefault(path[0], {})[path[1:]] = change
    known = settings_of(config)
    values: dict[str, Any] = {}
    for name, inner in by_name.items():
        if name not in known:
            raise _unknown(next(iter(inner.values()))[0], known, whole)
        value = _value(config, name, known[name])
        if () in inner:  # a part before its options
            key, text = inner.pop(())
            value = converted(text, known[name], value, key)
        if inner:
            value = _apply_inside(value, inner, known[name], whole)
        values[name] = value
    if isinstance(config, Part):
        return type(config)(config.name, **{**config.options, **values})
    return dataclasses.replace(config, **values)


def _apply_inside(value: Any, changes: Mapping[tuple[str, ...], tuple[str, Any]], option: Option, whole: Any) -> Any:
    key = next(iter(changes.values()))[0]
    if isinstance(value, Mapping):
        return _apply_to_mapping(value, changes, whole)
    if dataclasses.is_dataclass(value):
        return _apply(value, changes, whole)
    if value is None and any(dataclasses.is_dataclass(choice) for choice in typing.get_args(option.type)):
        raise SettingsError(f"{key} cannot be set: {key.partition('.')[0]} is none")
    raise _unknown(key, {}, whole)


def _apply_to_mapping(
    mapping: Mapping[str, Any], changes: Mapping[tuple[str, ...], tuple[str, Any]], whole: Any
) -> dict[str, Any]:
    """Returns a mapping with entries changed: numbers, or what is inside of the parts that entries are."""
    result = dict(mapping)
    for path, (key, value) in changes.items():
        name = ".".join(path)
        if isinstance(mapping.get(path[0]), Part) and len(path) > 1:
            result[path[0]] = _apply(result[path[0]], {path[1:]: (key, value)}, whole)
        elif name in mapping and not isinstance(mapping[name], Part):
            result[name] = _convert(_text(value), type(mapping[name]), key)
        else:
            near = near_names(name, mapping)
            raise SettingsError(f"unknown setting {key!r}.{near} Known here: {', '.join(mapping) or 'none'}.")
    return result


def settings_of(config: Any) -> Mapping[str, Option]:
    """Returns what can be set in a dataclass or a part, by name."""
    if isinstance(config, Part):
        return config.known_options()
    hints = typing.get_type_hints(type(config))
    documented = [argument_texts(inspect.getdoc(one)) for one in reversed(type(config).__mro__) if one is not object]
    texts = {name: text for one in documented for name, text in one.items()}
    return {
        field.name: Option(hints[field.name], getattr(config, field.name), texts.get(field.name, ""))
        for field in dataclasses.fields(config)
        if field.init
    }


def _value(config: Any, name: str, option: Option) -> Any:
    if isinstance(config, Part):
        return config.options.get(name, option.default)
    return getattr(config, name)


def leaves(config: Any, prefix: str = "") -> Iterator[tuple[str, Option, Any]]:
    """Yields key, option and value of everything that can be set in a dataclass or part, depth first.

    A part appears itself, with its name as value, before its options.
    """
    for name, option in settings_of(config).items():
        value = _value(config, name, option)
        key = f"{prefix}{name}"
        if isinstance(value, Part):
            yield key, option, value.name
            yield from leaves(value, f"{key}.")
        elif isinstance(value, Mapping):
            for entry, inner in value.items():
                if isinstance(inner, Part):
                    yield from leaves(inner, f"{key}.{entry}.")
                else:
                    yield f"{key}.{entry}", Option(type(inner), inner, option.text), inner
        elif dataclasses.is_dataclass(value) and not isinstance(value, type):
            yield from leaves(value, f"{key}.")
        else:
            yield key, option, value


def flat(config: Any) -> dict[str, Any]:
    """Returns every setting by its dotted key, as plain data that a checkpoint can hold."""
    return {key: _plain(value) for key, _, value in leaves(config)}


def below(config: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Returns the settings below a key of what :func:`flat` returned, named from there on."""
    return {key.removeprefix(f"{prefix}."): value for key, value in config.items() if key.startswith(f"{prefix}.")}


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _unknown(key: str, known: Mapping[str, Any], whole: Any) -> SettingsError:
    everything = [other for other, _, _ in leaves(whole)]
    owners = [other for other in everything if other.rpartition(".")[2] == key.rpartition(".")[2] and other != key]
    if key in everything:  # the part that had it was exchanged by the same command
        near = " The part that was exchanged has it, the new one does not."
    else:
        near = (
            f" It is a setting of another part: {' or '.join(owners[:3])}." if owners else near_names(key, everything)
        )
    listing = f" Known here: {', '.join(known)}." if known else ""
    return SettingsError(f"unknown setting {key!r}.{near}{listing}")


def converted(value: Any, option: Option, before: Any, key: str) -> Any:
    """Returns a value, or a text for one, as what a field holds; the text for a part is the name of another one.

    Raises:
        SettingsError: it is none of the field's type.
        RegistryError: there is no such part.
    """
    if isinstance(before, Part) and isinstance(value, str):
        return before.renamed(value)
    if isinstance(value, (Part, Mapping)) or (dataclasses.is_dataclass(value) and not isinstance(value, type)):
        return value
    return _convert(_text(value), option.type, key)


def _text(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ",".join(map(_text, value))
    return "none" if value is None else str(value)


_BOOLEANS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}

_WORDS: dict[Any, str] = {bool: "true or false", int: "a whole number", float: "a number"}


def _convert(text: str, hint: Any, key: str) -> Any:
    """Returns ``text`` as a value of the type ``hint``."""
    if len(text) > LONGEST_TEXT:
        raise SettingsError(f"{key}: the value has {len(text)} characters; at most {LONGEST_TEXT} are taken")
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        choices = [choice for choice in arguments if choice is not type(None)]
        if len(choices) < len(arguments) and text.lower() in ("none", ""):
            return None
        for choice in choices:
            try:
                return _convert(text, choice, key)
            except SettingsError:
                continue
        raise _wrong_value(key, text, " or ".join([type_name(choice) for choice in choices] + ["none"]))
    if origin is typing.Literal:
        for choice in arguments:
            if str(choice) == text:
                return choice
        raise _wrong_value(key, text, " or ".join(map(str, arguments)))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        if text.lower() in ("none", ""):
            return {}
        raise SettingsError(f"{key} cannot be set as text, but to none; set one of its entries, {key}.NAME=...")
    if origin in (tuple, list) or (isinstance(origin, type) and issubclass(origin, typing.Collection)):
        parts = [part.strip() for part in text.strip("()[] ").split(",") if part.strip() and part.strip() != "none"]
        if origin is tuple and arguments and arguments[-1] is not Ellipsis:
            if len(parts) != len(arguments):
                raise _wrong_value(key, text, f"{len(arguments)} values with commas between them")
            return tuple(_convert(part, argument, key) for part, argument in zip(parts, arguments, strict=True))
        make = list if origin is list else tuple
        return make(_convert(part, arguments[0] if arguments else str, key) for part in parts)
    if hint is bool:
        if text.lower() not in _BOOLEANS:
            raise _wrong_value(key, text, _WORDS[bool])
        return _BOOLEANS[text.lower()]
    if hint in (int, float):
        try:
            number = hint(text)
        except ValueError:
            raise _wrong_value(key, text, _WORDS[hint]) from None
        if isinstance(number, float) and math.isnan(number):
            raise _wrong_value(key, text, _WORDS[float])
        return number
    if hint in (str, Path):
        return hint(text)
    raise SettingsError(f"{key} cannot be set as text: it is a {type_name(hint)}; set what it is made of, {key}.…")


def _wrong_value(key: str, text: str, expected: str) -> SettingsError:
    return SettingsError(f"{key}={text}: expected {expected}")


def type_name(hint: Any) -> str:
    """Returns how a type is called for people: ``a number``, ``short or paper``."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in _WORDS:
        return _WORDS[hint]
    if origin in (typing.Union, types.UnionType):
        return " or ".join("none" if one is type(None) else type_name(one) for one in arguments)
    if origin is typing.Literal:
        return " or ".join(map(str, arguments))
    if origin in (tuple, list):
        return f"{type_name(arguments[0])}, ..." if arguments else "values"
    if hint is str:
        return "text"
    return getattr(hint, "__name__", str(hint))
