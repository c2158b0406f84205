"""What a report says first: what was backtested on what, how it ended, and how it can be recognised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..data.durations import format_interval
from ..engine.execution import describe_execution
from .sheet import Sheet
from .texts import NOTHING, counted, decimals, moment, setting
from .walked_windows import asked

_ALWAYS_SHOWN = ("capital", "fee_bps", "slippage_bps", "year_days")
_NAMED = 6
"""Strategies and instruments that a title names before it counts the rest."""
_DIGITS = 10
"""Of a digest in its short form."""


def heading(sheet: Sheet) -> dict[str, Any]:
    """What was backtested on what: `title`, `instruments`, `lead`, `parameters`, `execution`, `origin`."""
    document = sheet.document
    return {
        "title": _title(sheet),
        "instruments": _instruments(sheet),
        "lead": f"{_span(sheet)}. {_final_equity(sheet)}.",
        "parameters": _settings(_parameters(sheet)),
        "execution": _settings(_changed(document["execution"])),
        "origin": origin(document),
    }


def _parameters(sheet: Sheet) -> dict[str, Any]:
    """What it ran by besides the execution."""
    if sheet.governed:
        return _governing(sheet.document)
    own = sheet.document.get("parameters", {})
    return {**own, **asked(sheet)} if sheet.walked else own


def _title(sheet: Sheet) -> str:
    if sheet.walked:
        return f"Walk forward: {sheet.document['strategy']}"
    if sheet.governed:
        return f"Scheduler: {sheet.document['scheduler']}"
    if sheet.is_portfolio:
        return f"Portfolio: {listed(sheet.document['strategies'])}"
    return str(sheet.document["strategy"])


def _governing(document: Mapping[str, Any]) -> dict[str, Any]:
    """What a scheduler ran by, and what was left out."""
    return {
        "environment": document["environment"],
        "config_sha384": document["config_sha384"][:_DIGITS],
        "without": ", ".join(document["without"]),
        "drift_seconds": document["drift_seconds"] or "",
    }


def _instruments(sheet: Sheet) -> str:
    if sheet.governed:  # a second leg of pairs has bars, but nobody trades it alone
        traded = {name for one in sheet.document["schedules"] for name in one["instruments"]}
        return listed([name for name in sheet.document["instruments"] if name in traded])
    if sheet.is_portfolio:
        return listed(sheet.document["instruments"])
    return " and ".join(f"{each['venue']} {each['symbol']}" for each in sheet.document["data"])


def listed(names: Sequence[str]) -> str:
    """Names in a row; of many the first, and how many more there are."""
    more = len(names) - _NAMED
    return ", ".join([*names[:_NAMED], *([f"{more} more"] if more > 0 else [])])


def _span(sheet: Sheet) -> str:
    times, step = sheet.equity["timestamp"], sheet.interval_seconds
    span = f", {moment(times[0], step)} to {moment(times[-1], step)} UTC" if len(times) else ""
    return f"{counted(len(times), 'bar')} of {format_interval(step)}{span}"


def _final_equity(sheet: Sheet) -> str:
    """Equity at the last close, and what it started with."""
    final = sheet.document["final_equity"]
    start = decimals(sheet.document["execution"]["capital"], 2)
    return f"{start} became {decimals(final, 2) if final is not None else NOTHING}"


def _changed(execution: Mapping[str, Any]) -> dict[str, Any]:
    """The options that differ from their defaults, and those that everybody asks for."""
    usual = {option["name"]: option["default"] for option in describe_execution()}
    return {
        name: value for name, value in execution.items() if name in _ALWAYS_SHOWN or value != usual.get(name, value)
    }


def _settings(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Under the names that Python, the command line and the result give them."""
    return [(name, setting(name, value)) for name, value in given.items() if value != ""]


def origin(document: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Name, short form and whole value of what the result can be recognised by."""
    software = document["provenance"]
    digests = [(f"{each['venue']} {each['symbol']} bars", each["sha384"]) for each in document["data"]]
    if document.get("config_sha384"):
        digests.append(("configuration", document["config_sha384"]))
    digests += [("kernels", software["kernels"]), ("arithmetic", software["arithmetic"])]
    versions = [(name, software[name], software[name]) for name in ("barstep", "numba", "numpy")]
    return versions + [(name, str(digest)[:_DIGITS], str(digest)) for name, digest in digests]
