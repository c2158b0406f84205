"""Pages as a browser and as their script read them."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

HOSTILE = "</script><script>alert(1)</script>\"'&{{ 7 * 7 }}<img src=x onerror=alert(2)>"


class Reader(HTMLParser):
    """What a browser would see: tags with their attributes, other text, and what it would run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.scripts: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = "data" if ("type", "application/json") in attrs else tag

    def handle_endtag(self, _tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside != "data":
            (self.scripts if self._inside in ("script", "style") else self.words).append(data)


def script_data(text: str, name: str = "charts") -> Any:
    """What the page's script reads, which is strict JSON."""
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    return json.loads(found.group(1), parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
