"""Digests of a configuration: what it says, apart from how it is written."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

import msgspec
import msgspec.inspect as kinds

from .core import CoreConfig


def content_sha384(config: CoreConfig) -> str:
    """SHA-384 of what a configuration says, defaults included, as 96 hexadecimal digits.

    Comments, the order of keys, quotes and units of durations do not change it. The order of schedules and of
    instruments does, because it decides ties.
    """
    canonical = _ordered(msgspec.to_builtins(config), _config_kind())
    return hashlib.sha384(msgspec.json.encode(canonical, order="deterministic")).hexdigest()


@cache
def _config_kind() -> kinds.Type:
    """What is known of the type: looking into it takes milliseconds, and every run tells its digest."""
    return kinds.type_info(CoreConfig)


def file_sha384(data: bytes) -> str:
    """SHA-384 of a file's bytes, as 96 hexadecimal digits: what `sha384sum` prints."""
    return hashlib.sha384(data).hexdigest()


def _ordered(value: Any, kind: Any) -> Any:
    """Plain values in which a mapping whose order means something is a list of pairs."""
    if isinstance(kind, kinds.Metadata):
        inner = _ordered(value, kind.type)
        return list(inner.items()) if "ordered" in (kind.extra or {}) else inner
    if isinstance(kind, kinds.StructType):
        types = {field.encode_name: field.type for field in kind.fields}
        return {name: _ordered(entry, types.get(name)) for name, entry in value.items()}
    if isinstance(kind, kinds.DictType):
        return {name: _ordered(entry, kind.value_type) for name, entry in value.items()}
    return value
