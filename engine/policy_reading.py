"""Capital policies read from how they are written, and held to what they may say."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, get_args, get_origin

import msgspec
from msgspec import Struct
from msgspec.structs import fields

from ..config.policies import ALIASES, DrawdownGuard, MetricWeighted, Policy, Written
from ..errors import UsageError, unknown_name

FORMS: dict[str, type[Written]] = {form.__struct_config__.tag: form for form in get_args(Policy) if form is not str}
"""The written form of each policy by its name."""


def read_policy(written: object, where: str = "capital_policy") -> Written:
    """The Struct of a policy that is written as a name, a mapping or a Struct; those inside it become Structs too.

    Raises:
        UsageError: A name or a field is unknown, a field is missing, or a value is not allowed; says where.
    """
    written = _mapped(written)
    if isinstance(written, str):
        written = {"name": written}
    if not isinstance(written, Mapping):
        raise UsageError(f"{where} is {written!r}; allowed is a policy's name, or a mapping with 'name'")
    entries = dict(written)
    name = entries.pop("name", None)
    form = FORMS.get(ALIASES.get(str(name), str(name)))
    if name is None or form is None:
        known = [*FORMS, *ALIASES]
        found = (
            unknown_name("policy", str(name), known) if name is not None else f"no 'name'; one of {', '.join(known)}"
        )
        raise UsageError(f"{where}: {found}")
    policy: Written = _read_struct(entries, form, where)
    _refuse_contradictions(policy, where)
    return policy


def _mapped(value: object) -> object:
    """A Struct as a mapping: what was made by hand is held to the same rules."""
    return msgspec.to_builtins(value) if isinstance(value, Struct) else value


def _read_struct(written: object, form: type[Any], where: str) -> Any:
    entries = _mapped(written)
    if not isinstance(entries, Mapping):
        raise UsageError(f"{where} is {entries!r}; allowed is a mapping")
    known = {field.name: field for field in fields(form)}
    for name in entries:
        if name not in known:
            raise UsageError(f"{where}: {unknown_name('field', str(name), known)}")
    values = {}
    for name, field in known.items():
        if name in entries:
            values[name] = _read(entries[name], field.type, f"{where}.{name}")
        elif field.required:
            raise UsageError(f"{where} has no {name!r}, which {form.__struct_config__.tag or 'each of them'} needs")
        elif field.type == Policy:
            values[name] = read_policy(field.default, f"{where}.{name}")
    return form(**values)


def _read(value: object, kind: Any, where: str) -> Any:
    """A field's value as its type says it is."""
    if kind == Policy:
        return read_policy(value, where)
    inner = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    holds = get_args(inner)[-1] if get_origin(inner) in (list, dict) else None
    if isinstance(holds, type) and issubclass(holds, Struct):
        if isinstance(value, Mapping) and value and get_origin(inner) is dict:
            return {name: _read_struct(entry, holds, f"{where}.{name}") for name, entry in value.items()}
        if isinstance(value, list | tuple) and value and get_origin(inner) is list:
            return [_read_struct(entry, holds, f"{where}[{place}]") for place, entry in enumerate(value)]
        shape = "mapping" if get_origin(inner) is dict else "list"
        raise UsageError(f"{where} is {value!r}; allowed is a {shape} with one entry or more")
    return _read_value(value, kind, where)


def _read_value(value: object, kind: Any, where: str) -> Any:
    try:
        read = msgspec.convert(value, kind)
    except msgspec.ValidationError as problem:
        text, _, inside = str(problem).partition(" - at `$")
        allowed = text.replace("Expected", "allowed is")
        raise UsageError(f"{where}{inside.rstrip('`')} is {value!r}; {allowed}") from None
    if not _is_finite(read):
        raise UsageError(f"{where} is {value!r}; allowed are finite numbers")
    return read


def _is_finite(value: object) -> bool:
    if isinstance(value, dict):
        return all(_is_finite(entry) for entry in value.values())
    return not isinstance(value, float) or math.isfinite(value)


def _refuse_contradictions(policy: Written, where: str) -> None:
    """Refuse bounds that leave no room between them."""
    if isinstance(policy, DrawdownGuard) and policy.panic_pct <= policy.warning_pct:
        raise UsageError(
            f"{where}.panic_pct is {policy.panic_pct:g}; allowed is over warning_pct, {policy.warning_pct:g}"
        )
    if isinstance(policy, MetricWeighted):
        for name, metric in policy.metrics.items():
            if metric.min is not None and metric.max is not None and metric.min > metric.max:
                raise UsageError(
                    f"{where}.metrics.{name}.min is {metric.min:g}; allowed is up to its max, {metric.max:g}"
                )
