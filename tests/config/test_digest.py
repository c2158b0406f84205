"""Digests: what changes them, and what does not."""

from __future__ import annotations

import hashlib
from pathlib import Path

from written import PROFILES, STRATEGIES, read, scheduler


def both(text: str, folder: Path) -> tuple[str, str]:
    """Digest of the content, and of the bytes."""
    found = read(text, folder)
    assert found.problems == ()
    return found.content_sha384, found.file_sha384


def test_the_file_s_digest_is_of_its_bytes(tmp_path: Path) -> None:
    """It is what `sha384sum` prints."""
    assert both(PROFILES, tmp_path)[1] == hashlib.sha384(PROFILES.encode()).hexdigest()


def test_how_it_is_written_does_not_change_the_content_s_digest(tmp_path: Path) -> None:
    """Comments, the order of keys, quotes, units, other names of a policy and defaults written out are not content."""
    one = scheduler("capital_policy: composite_here\nhealth_check_interval: 120\ntelemetry_namespace: runtime.x")
    one = one.replace("composite_here", "{name: composite, components: [{policy: risk_parity}]}")
    other = scheduler("""
        # a comment
        telemetry_namespace: 'runtime.x'
        health_check_interval: 2m
        initial_suspensions: []
        capital_policy: {components: [{policy: {name: risk_parity}, weight: 1}], name: blended, fallback: equal_weight}
    """)
    other = other.replace(f"{PROFILES}{STRATEGIES}", f"{STRATEGIES}{PROFILES}")
    (content, file), (same, another) = both(one, tmp_path), both(other, tmp_path)
    assert content == same
    assert file != another


def test_what_it_says_changes_it(tmp_path: Path) -> None:
    """Any value does."""
    digests = {both(scheduler(f"health_check_interval: {seconds}"), tmp_path)[0] for seconds in (59, 60, 61)}
    assert len(digests) == 3
    assert both(scheduler(""), tmp_path)[0] in digests, "60 seconds are the default"


def test_the_order_of_schedules_and_instruments_is_content(tmp_path: Path) -> None:
    """It decides ties, so that two orders are two configurations; the order of strategies is not."""
    lines = [
        "  a: {strategy: mean_reversion, cadence_seconds: 60}",
        "  b: {strategy: grid_trading, cadence_seconds: 60}",
    ]
    head = "multi_strategy_schedulers:\n one:\n  schedules:\n"
    assert both(head + " " + "\n ".join(lines), tmp_path)[0] != both(head + " " + "\n ".join(lines[::-1]), tmp_path)[0]
    universe = "instrument_universes: {u: {instruments: {%s}}}"
    first, second = "BTCUSDT: {primary: x}", "ETHUSDT: {primary: x}"
    assert (
        both(universe.replace("%s", f"{first}, {second}"), tmp_path)[0]
        != both(universe.replace("%s", f"{second}, {first}"), tmp_path)[0]
    )
    one = "strategies: {a: {engine: x}, b: {engine: y}}"
    assert both(one, tmp_path)[0] == both("strategies: {b: {engine: y}, a: {engine: x}}", tmp_path)[0]
