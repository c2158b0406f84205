"""The pages' templates, and the files that stand in a page."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

_ASSETS = Path(__file__).resolve().parent / "assets"


def template(name: str) -> Template:
    """A template that takes every text for text and has each name it uses given."""
    found = Environment(
        loader=FileSystemLoader(_ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.policies["json.dumps_kwargs"] = {}  # by default it sorts, and Bokeh's models come before references to them
    return found.get_template(name)


def assets(*names: str) -> str:
    """Scripts or styles, one after another."""
    return "".join((_ASSETS / name).read_text("utf-8") for name in names)
