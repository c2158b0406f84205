"""What several commands read alike: settings, engines from files, and where the configuration is."""

# ruff: noqa: PLC0415 - imported when a command runs, see `cli.app`

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..errors import UsageError

if TYPE_CHECKING:
    from ..engine.catalog import StrategyCatalog


def read_settings(settings: Iterable[str]) -> dict[str, float | str]:
    """The values of `--set NAME=VALUE` by name, numbers as numbers."""
    read: dict[str, float | str] = {}
    for setting in settings:
        name, equals, text = (part.strip() for part in setting.partition("="))
        if not equals or not name or not text:
            raise UsageError(f"--set {setting!r}: write NAME=VALUE, such as lookback=96.")
        if name in read:
            raise UsageError(f"--set {name}: given twice; give it once.")
        read[name] = number_or_text(text)
    return read


def read_own_settings(settings: Iterable[str], options: Iterable[str]) -> dict[str, float | str]:
    """The same; none may be the name of one of the command's options."""
    read = read_settings(settings)
    for name in options:
        if name in read:
            raise UsageError(f"--set {name}: is an option of its own, --{name.replace('_', '-')}")
    return read


def number_or_text(text: str) -> float | str:
    """A whole number, a number, or else the text."""
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def read_speed(text: str) -> float:
    """Seconds of event time in a second of the clock, of `60x`."""
    try:
        return float(text.removesuffix("x"))
    except ValueError:
        raise UsageError(f"--speed {text!r}: write how many times as fast as the clock, such as 60x.") from None


def catalog_with(engine_files: Iterable[Path]) -> StrategyCatalog:
    """The engines of barstep, of installed packages and of these files."""
    from ..engine.catalog import DEFAULT_STRATEGY_CATALOG

    catalog = DEFAULT_STRATEGY_CATALOG
    for path in engine_files:
        catalog = catalog.with_file(path)
    return catalog


def config_path(given: Path | None) -> Path:
    """The configuration that is asked for, else the default, which is told where it is not the user's own."""
    from ..config.reading import PACKAGED, default_path

    if given is not None:
        return given
    path = default_path()
    if path == PACKAGED:
        typer.echo(f"no config/core.yaml here; reading the one that comes with barstep: {path}", err=True)
    return path
