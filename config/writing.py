"""A configuration as text again, with all defaults, that reads back to the same."""

from __future__ import annotations

from typing import Any

import msgspec
import yaml

from .core import CoreConfig
from .document import resolve


class _Dumper(yaml.SafeDumper):
    """Quotes text that would be read as something else; PyYAML's own rules are those of YAML 1.1."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        """Write everything out."""
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    # Double quotes alone escape line breaks such as U+0085, which other styles fold into spaces.
    style = None if isinstance(resolve(text), str) and text.isprintable() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def as_plain(config: CoreConfig) -> dict[str, Any]:
    """The configuration as mappings, lists, text and numbers; instants as ISO 8601."""
    plain: dict[str, Any] = msgspec.to_builtins(config)
    return plain


def as_yaml(config: CoreConfig) -> str:
    """The configuration as YAML."""
    text: str = yaml.dump(as_plain(config), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return text
