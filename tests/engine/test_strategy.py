"""Strategy engines: parameters are typed, ranged and checked against each other; `history` is honest."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np
import pytest
from barstep.engine.catalog import DEFAULT_STRATEGY_CATALOG
from barstep.engine.strategy import Parameter, StrategyEngine, bars_per_year
from barstep.errors import UsageError
from barstep.kernels.columns import ANNUAL_SCALE, INTERVAL_SECONDS, OWN, TARGET, TELEMETRY
from making import ENGINE_NAMES, QUICK, rows_of, second_venue, walk_bars

WINDOW = Parameter(name="window", default=10, kind="int", minimum=2, maximum=1000, text="bars of the mean")
SHARE = Parameter(name="share", default=0.5, kind="float", minimum=0.0, maximum=1.0, text="as a share")
FREE = Parameter(name="free", default=0.0, kind="float", minimum=0.0, text="in money")
SHORT = Parameter(name="short", default=False, kind="bool", text="whether short")
VENUE = Parameter(name="venue", default="", kind="text", text="a label")

EVERY_PARAMETER = [(engine, p) for engine in DEFAULT_STRATEGY_CATALOG for p in engine.parameters]
RANGED = [(engine, p) for engine, p in EVERY_PARAMETER if p.kind in ("int", "float")]


def name_of(case: Any) -> str:
    return str(getattr(case, "name", case))


def refusal(parameter: Parameter, value: Any) -> str:
    with pytest.raises(UsageError) as caught:
        parameter.read(value, "e")
    return str(caught.value)


@pytest.mark.parametrize(
    ("parameter", "given", "expected"),
    [
        (WINDOW, 20, 20), (WINDOW, 20.0, 20), (WINDOW, "20", 20), (WINDOW, np.int64(20), 20), (WINDOW, 2, 2),
        (WINDOW, 1000, 1000), (SHARE, "0.25", 0.25), (SHARE, 1, 1.0), (SHARE, 0, 0.0), (SHARE, np.float64(0.5), 0.5),
        (FREE, 1e300, 1e300), (SHORT, True, True), (SHORT, "no", False), (SHORT, "Yes", True), (SHORT, 0, False),
        (SHORT, 1, True), (SHORT, np.True_, True), (VENUE, "binance", "binance"), (VENUE, 5, "5"),
    ],
)  # fmt: skip
def test_a_value_is_read_in_the_type_of_its_parameter(parameter: Parameter, given: Any, expected: Any) -> None:
    """Text and numbers of any type become the int, float, bool or text that the parameter is."""
    read = parameter.read(given, "e")
    assert read == expected
    assert type(read) is type(expected)


@pytest.mark.parametrize(
    ("parameter", "given", "text"),
    [
        (WINDOW, 1, "e: window is 1; allowed is 2 to 1,000 (bars of the mean)"),
        (WINDOW, 1001, "e: window is 1001; allowed is 2 to 1,000 (bars of the mean)"),
        (WINDOW, 2.5, "e: window is 2.5; it must be a whole number (bars of the mean)"),
        (WINDOW, "many", "e: window is 'many'; it must be a number (bars of the mean)"),
        (WINDOW, None, "e: window is None; it must be a number (bars of the mean)"),
        (WINDOW, [3], "e: window is [3]; it must be a number (bars of the mean)"),
        (SHARE, -0.1, "e: share is -0.1; allowed is 0 to 1 (as a share)"),
        (SHARE, math.nan, "e: share is nan; allowed is 0 to 1 (as a share)"),
        (FREE, -1, "e: free is -1; allowed is 0 and more (in money)"),
        (SHORT, "perhaps", "e: short is 'perhaps'; it must be true or false (whether short)"),
        (SHORT, 2, "e: short is 2; it must be true or false (whether short)"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_in_words(parameter: Parameter, given: Any, text: str) -> None:
    """The text says engine, parameter, value, what is allowed, and what the parameter means."""
    assert refusal(parameter, given) == text


@pytest.mark.parametrize(("engine", "parameter"), RANGED, ids=name_of)
def test_every_parameter_holds_its_range(engine: StrategyEngine, parameter: Parameter) -> None:
    """A number is taken at both ends of its range and refused just outside of them, infinite and NaN."""
    step = 1 if parameter.kind == "int" else 1e-6 * max(1.0, parameter.maximum)
    assert parameter.read(parameter.minimum, engine.name) == parameter.minimum
    assert parameter.read(parameter.maximum, engine.name) == parameter.maximum
    for value in (parameter.minimum - step, parameter.maximum + step, math.inf, -math.inf, math.nan):
        with pytest.raises(UsageError, match=f"^{engine.name}: {parameter.name} is "):
            parameter.read(value, engine.name)


@pytest.mark.parametrize(("engine", "parameter"), EVERY_PARAMETER, ids=name_of)
def test_every_default_is_allowed(engine: StrategyEngine, parameter: Parameter) -> None:
    """A default is read as it stands, in its own type, and the parameter says what it means."""
    read = parameter.read(parameter.default, engine.name)
    assert read == parameter.default
    assert type(read) is {"int": int, "float": float, "bool": bool, "text": str}[parameter.kind]
    assert len(parameter.text) > 5


@pytest.mark.parametrize("name", ENGINE_NAMES)
def test_defaults_together_break_no_rule(name: str) -> None:
    """An engine without any parameters given has all of its defaults, in order."""
    engine = DEFAULT_STRATEGY_CATALOG[name]
    assert list(engine.read_parameters({}).items()) == [(p.name, p.default) for p in engine.parameters]


RULES = {
    "daily_trend_momentum": {"fast_ma": 100, "slow_ma": 100},
    "mean_reversion": {"exit_zscore": 2.0, "entry_zscore": 1.5},
    "volatility_target": {"min_allocation": 1.0, "max_allocation": 1.0},
    "cross_exchange_arbitrage": {"spread_exit": 0.01, "spread_entry": 0.005},
    "sma_crossover": {"fast_ma": 30, "slow_ma": 20},
}


@pytest.mark.parametrize("name", RULES)
def test_two_parameters_must_not_contradict_each_other(name: str) -> None:
    """The text of a broken rule says both names and both values."""
    (lower, low), (upper, high) = RULES[name].items()
    engine = DEFAULT_STRATEGY_CATALOG[name]
    expected = f"{name}: {lower} is {low}; it must be less than {upper}, which is {high}"
    with pytest.raises(UsageError, match=f"^{re.escape(expected)}$"):
        engine.read_parameters(RULES[name])


@pytest.mark.parametrize("name", ENGINE_NAMES)
def test_an_unknown_parameter_is_answered_with_the_near_name(name: str) -> None:
    """A mistyped parameter is refused with the nearest one and all that there are."""
    engine = DEFAULT_STRATEGY_CATALOG[name]
    right = engine.parameters[0].name
    with pytest.raises(UsageError) as caught:
        engine.read_parameters({right + "x": 1})
    known = ", ".join(sorted(p.name for p in engine.parameters))
    expected = f"unknown parameter of {name} {right + 'x'!r}. Did you mean {right!r}? Allowed: {known}."
    assert str(caught.value) == expected


@pytest.mark.parametrize("name", ENGINE_NAMES)
def test_pack_lays_out_what_a_kernel_reads(name: str) -> None:
    """The vector holds the bar's length, the root of the bars in a year, then every parameter that is no text."""
    engine = DEFAULT_STRATEGY_CATALOG[name]
    read = engine.read_parameters({})
    packed = engine.pack(read, 3600, 365.0)
    assert packed[INTERVAL_SECONDS] == 3600.0
    assert packed[ANNUAL_SCALE] == math.sqrt(8760.0)
    assert packed[OWN:].tolist() == [float(p.default) for p in engine.parameters if p.kind != "text"]


@pytest.mark.parametrize("name", ENGINE_NAMES)
def test_wishes_do_not_depend_on_telemetry(name: str) -> None:
    """The vector says whether telemetry is asked for; wishes are the same bits with and without."""
    engine = DEFAULT_STRATEGY_CATALOG[name]
    read = engine.read_parameters(QUICK[name])
    bare, full = (engine.pack(read, 3600, 365.0, with_telemetry=asked) for asked in (False, True))
    assert [bare[TELEMETRY], full[TELEMETRY]] == [0.0, 1.0]
    bars = walk_bars(400)
    values = bars.values if not engine.needs_secondary else np.vstack((bars.values, bars.close * 0.995, bars.close * 0))
    wishes = []
    for params in (bare, full):
        out, carry = np.full((engine.rows, 400), np.nan), engine.new_carry()
        carry[0] = bars.numbers[0]
        engine.kernel(values, params, carry, out, 0, 400, 0)
        wishes.append(out[TARGET].tobytes())
    assert wishes[0] == wishes[1]


@pytest.mark.parametrize(("seconds", "days", "expected"), [(86_400, 252.0, 252.0), (60, 365.0, 525_600.0)])
def test_bars_per_year(seconds: int, days: float, expected: float) -> None:
    """A year has as many bars as fit into its days."""
    assert bars_per_year(seconds, days) == expected


LONG_WINDOWS: dict[str, dict[str, Any]] = {
    "daily_trend_momentum": {"breakout_lookback": 40},
    "mean_reversion": {"lookback": 33, "exit_zscore": 0.0, "entry_zscore": 0.1},
    "grid_trading": {"anchor_window": 50, "grid_spacing": 0.0001},
    "volatility_target": {"lookback": 41},
    "cross_exchange_arbitrage": {"spread_entry": 0.0001, "spread_exit": 0.0},
    "sma_crossover": {"slow_ma": 60},
}


@pytest.mark.parametrize("name", ENGINE_NAMES)
def test_history_is_honest(name: str) -> None:
    """On no random walk does an engine wish before it has the bars it asks for, and on some it does right then."""
    engine = DEFAULT_STRATEGY_CATALOG[name]
    given = QUICK[name] | LONG_WINDOWS[name]
    needed = engine.history(engine.read_parameters(given))
    firsts = []
    for seed in range(40):
        bars = walk_bars(needed + 60, seed, step=0.02)
        other = second_venue(bars, seed) if engine.needs_secondary else None
        wishes = rows_of(engine, bars, other, **given)[TARGET]
        assert (wishes[: needed - 1] == 0.0).all()
        firsts += np.flatnonzero(wishes)[:1].tolist()
    assert min(firsts) == needed - 1


@pytest.mark.parametrize(("given", "needed"), [
    ({"slow_ma": 100}, 100),
    ({"slow_ma": 30, "breakout_lookback": 200}, 201),
    ({"slow_ma": 30, "momentum_window": 300}, 301),
    ({"slow_ma": 30, "atr_window": 400}, 401),
])  # fmt: skip
def test_the_longest_window_decides_on_the_history(given: dict[str, int], needed: int) -> None:
    """Of several windows the longest one counts, with a bar more where it looks at bars before this one."""
    engine = DEFAULT_STRATEGY_CATALOG["daily_trend_momentum"]
    assert engine.history(engine.read_parameters(given)) == needed


@pytest.mark.parametrize("name", ENGINE_NAMES)
def test_rows_and_carry_are_as_described(name: str) -> None:
    """An engine fills a row for each name, and its carry begins as zeros of the stated length."""
    engine = DEFAULT_STRATEGY_CATALOG[name]
    assert engine.rows == 3 + len(engine.diagnostics)
    assert engine.new_carry().tolist() == [0.0] * engine.carry_size
    assert engine.capability == f"strategy.{name}"


@pytest.mark.parametrize(
    ("parameter", "allowed"),
    [
        (WINDOW, "2 to 1,000"), (SHARE, "0 to 1"), (FREE, "0 and more"), (SHORT, "true or false"), (VENUE, "any text"),
        (Parameter(name="tiny", default=1.0, kind="float", minimum=1e-6, maximum=1e12, text="share"), "1e-06 to 1e+12"),
    ],
)  # fmt: skip
def test_a_range_is_told_in_words(parameter: Parameter, allowed: str) -> None:
    """Whole numbers are written out, other ones as short as they are."""
    assert parameter.allowed == allowed


def test_parameters_describe_themselves_in_plain_values() -> None:
    """Name, kind, default and text, and the bounds that there are."""
    assert WINDOW.describe() == {
        "name": "window", "kind": "int", "default": 10, "minimum": 2, "maximum": 1000, "text": "bars of the mean",
    }  # fmt: skip
    assert (FREE.describe()["minimum"], FREE.describe()["maximum"]) == (0.0, None)
    assert (SHORT.describe()["minimum"], SHORT.describe()["maximum"]) == (None, None)


@pytest.mark.parametrize("name", ENGINE_NAMES)
def test_engines_describe_themselves_in_plain_values(name: str) -> None:
    """What an engine says of itself is JSON, with every parameter in order."""
    engine = DEFAULT_STRATEGY_CATALOG[name]
    described = json.loads(json.dumps(engine.describe(), allow_nan=False))
    assert (described["name"], described["summary"]) == (name, engine.summary)
    assert described["needs_secondary"] is engine.needs_secondary
    assert described["parameters"] == [p.describe() for p in engine.parameters]
