"""The tables and texts of the printed risk simulation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
from matplotlib.axes import Axes

from ..config.digest import content_sha384
from ..config.durations import instant_at
from ..engine.provenance import software
from ..engine.risk.result import scenarios_sha384
from ..engine.risk.tails import quantile
from ..engine.risk.verdict import LIMITS, UNITS, LimitCheck, paths_over, worst_of
from .printed_charts import GREEN, ORANGE
from .printed_tables import INK, MUTED, RULE

if TYPE_CHECKING:
    from ..config.risk_scenarios import Limit
    from ..engine.bars import Bars
    from ..engine.risk.result import ProfileRisk, RiskSimulation, ScenarioRuns

Cell = tuple[str, str]
"""A text and its colour."""

_DAY = 86_400.0


def verdicts(axes: Axes, found: RiskSimulation) -> None:
    """A row a profile: the verdict and the figures that one asks for first."""
    level = found.scenarios.confidence_pct[0]
    headings = (
        "profile", "verdict", f"VaR {level:g} %, {_length(found.horizon_seconds)}", f"ES {level:g} %",
        f"VaR {level:g} %, a day", "drawdown, median", "drawdown, 95 %", "worst scenario",
    )  # fmt: skip
    rows = [[_plain(each) for each in _verdict_row(one, level)] for one in found.profiles]
    for row, one in zip(rows, found.profiles, strict=True):
        row[1] = ("BREACH", ORANGE) if one.breach else ("ok", GREEN)
    _table(axes, "Verdict by risk profile, % of equity", headings, rows, (1.1, 0.8, 1.1, 0.8, 1.1, 1.2, 1.1, 2.0))


def _verdict_row(one: ProfileRisk, level: float) -> Iterator[str]:
    horizon, day = (one.tails(losses, [level])[0] for losses in (one.losses, one.day_losses))
    yield one.name
    yield ""
    yield f"{horizon['value_at_risk_pct']:.2f}"
    yield f"{horizon['expected_shortfall_pct']:.2f}"
    yield f"{day['value_at_risk_pct']:.2f}"
    yield f"{quantile(one.drawdowns, 50.0):.2f}"
    yield f"{quantile(one.drawdowns, 95.0):.2f}"
    if one.stressed:
        worst = max(one.stressed, key=lambda runs: runs.worst_loss_pct)
        yield f"{worst.name.replace('_', ' ')}: {worst.worst_loss_pct:.2f}"
    else:
        yield "–"


def breaches(axes: Axes, found: RiskSimulation) -> None:
    """A line a breach, or that there is none."""
    axes.set_axis_off()
    lines = [breach.words for breach in found.breaches] or ["Every limit that decides is kept."]
    axes.set_ylim(len(lines), 0)
    axes.set_xlim(0, 1)
    for down, line in enumerate(lines):
        color = ORANGE if found.breach else MUTED
        axes.text(0.0, down + 0.5, line, va="center", size=7.5, color=color)


def limits(axes: Axes, one: ProfileRisk) -> None:
    """A row a limit: what is allowed, how often it is exceeded, and the worst of all scenarios."""
    headings = (
        "limit", "allowed", "stays within", "over it at", "tolerated", "paths with any", "worst scenario", "",
    )  # fmt: skip
    rows = []
    for check in one.checks:
        stressed = [
            (each.value, runs.name, each)
            for runs in one.stressed
            for each in runs.checks(one.limits)
            if each.limit == check.limit
        ]
        value, name, worst = max(stressed, key=lambda each: each[0]) if stressed else (0.0, "–", None)
        broken = check.breach or any(each.breach for _, _, each in stressed)
        over = worst is not None and worst.exceeded
        note = " *" if over and not broken else ""
        rows.append(
            [
                _plain(check.limit),
                _plain(f"{check.allowed:g}"),
                _plain(f"{check.value:.2f}"),
                _plain(f"{check.exceeded_pct:.2f} % of {UNITS[check.limit]}"),
                _plain(f"{check.tolerated_pct:g} %"),
                _plain(f"{paths_over(one.resampled, check.limit, check.allowed):.1f} %"),
                _plain(f"{name.replace('_', ' ')}: {value:.2f}{note}"),
                ("BREACH", ORANGE) if broken else ("ok", GREEN),
            ]
        )
    _table(axes, f"{one.name}: its limits", headings, rows, (1.7, 0.6, 0.8, 1.2, 0.8, 1.0, 2.0, 0.6))
    if any(row[6][0].endswith("*") for row in rows):
        axes.text(
            0.0, len(rows) + 0.55, "* over the limit in a scenario that is not held to it", color=MUTED, size=6.5,
            va="center",
        )  # fmt: skip


def scenarios(axes: Axes, one: ProfileRisk) -> None:
    """A row a scenario: what it does, and the worst of its moments."""
    headings = (
        "scenario", "what happens", "worst moment", "net before", "loss", "drawdown", "worst day", "position",
        "leverage", "",
    )  # fmt: skip
    rows = []
    shown = tuple(zip(LIMITS, (2, 2, 1, 2), strict=True))
    for runs in one.stressed:
        checks = {check.limit: check for check in runs.checks(one.limits)}
        hit = runs.worst

        broken = any(check.breach for check in checks.values())
        rows.append(
            [
                _plain(runs.name.replace("_", " ")),
                (what_happens(runs), MUTED),
                _plain(_instant(hit.at_us)),
                _plain(f"{hit.measures.net_pct:.0f} %"),
                _plain(f"{runs.worst_loss_pct:.2f}"),
                *(_marked(checks, limit, f"{worst_of(runs.measures, limit)[0]:.{places}f}") for limit, places in shown),
                ("BREACH", ORANGE) if broken else ("ok", GREEN),
            ]
        )
    _table(axes, "Scenarios, % of equity", headings, rows, (1.75, 2.75, 1.4, 0.8, 0.6, 0.8, 0.8, 0.75, 0.75, 0.75))


def _marked(checks: Mapping[Limit, LimitCheck], limit: Limit, text: str) -> Cell:
    """A figure beside its limit: marked where it is over it."""
    check = checks.get(limit)
    if check is None or not check.exceeded:
        return _plain(text)
    return (text, ORANGE) if check.breach else (f"{text}*", MUTED)


def tails(axes: Axes, found: RiskSimulation, one: ProfileRisk) -> None:
    """Value at risk and expected shortfall, of the horizon and of a day."""
    levels = found.scenarios.confidence_pct
    headings = ("over", *(f"{what} {level:g} %" for level in levels for what in ("VaR", "ES")), "mean", "worst")
    rows = []
    for name, losses in ((_length(found.horizon_seconds), one.losses), ("a day", one.day_losses)):
        told = [
            f"{tail[key]:.2f}"
            for tail in one.tails(losses, levels)
            for key in ("value_at_risk_pct", "expected_shortfall_pct")
        ]
        cells = (name, *told, f"{float(losses.mean()):.2f}", f"{float(losses.max()):.2f}")
        rows.append([_plain(text) for text in cells])
    _table(axes, "Losses, % of equity; below 0 a profit", headings, rows, [1.0] * len(headings))


def span(found: RiskSimulation) -> str:
    """What was simulated, in two sentences."""
    capital = found.chosen.core.environments[found.chosen.environment].capital
    return (
        f"Each risk profile alone on an account of {capital:,.0f}: {len(found.scenarios.scenarios)} stress scenarios "
        f"at the {found.scenarios.moments} recorded moments at which it held most, and {found.paths:,} markets of "
        f"{_length(found.horizon_seconds)} resampled from the recorded one. Every run is one of the scheduler's "
        "engine, with its capital policy, governor and limits in force."
    )


def lead_of_scenarios(found: RiskSimulation, one: ProfileRisk) -> str:
    """What the page shows."""
    return (
        f"Schedules: {', '.join(each.name for each in one.profile.schedules)}. A new account trades recorded bars for "
        f"{_length(found.scenarios.lead)}, then the scenario falls on it and is watched for "
        f"{_length(found.scenarios.watch)}. Each figure is the worst over the scenario's moments; * is over a limit "
        "that the scenario is not held to."
    )


def lead_of_paths(found: RiskSimulation, one: ProfileRisk) -> str:
    """What the page shows."""
    return (
        f"{found.paths:,} markets of {one.growth.shape[1]:,} bars from blocks of {one.block_bars:,.0f} bars on "
        "average, all instruments and venues drawn together (stationary bootstrap), seed "
        f"{found.seed}. Equity counts from the begin of the horizon, after {_length(found.scenarios.lead)} of trading "
        "in each market."
    )


def assumptions(found: RiskSimulation) -> Iterator[tuple[str, list[str]]]:
    """Headings and lines of the last page."""
    written = found.scenarios
    tolerated = ", ".join(f"{name} {value:g} % of {UNITS[name]}" for name, value in _tolerated(found))
    yield (
        "What decides",
        [
            "• A scenario breaches a limit that it is held to where the worst of its moments is over the limit.",
            f"• Resampled markets breach a limit that they exceed more often than is tolerated: {tolerated}.",
            "• max_drawdown_pct is the deepest fall below the highest mark of the run; daily_risk_budget_pct the worst "
            "mark of a day (UTC) against the last one before it; max_position_pct and max_leverage are taken at every "
            "close, long and short sizes added up, of pairs both legs.",
        ],
    )
    yield (
        "Definitions",
        [
            "• Value at risk: the least loss that so many percent of the sample are not above, by historical "
            "simulation (McNeil, Frey and Embrechts 2015, definition 2.8).",
            "• Expected shortfall: the mean of the worst losses beyond that share (Acerbi and Tasche 2002).",
            "• Resampling: the stationary bootstrap of Politis and Romano (1994); block length by Politis and White "
            "(2004), corrected by Patton, Politis and White (2009), for the size of moves.",
        ],
    )
    yield (
        "Assumptions, and what this cannot say",
        [
            "• A profile is simulated alone on the whole account: what profiles do to one another is not in it.",
            "• A resampled market is made of what was recorded. What never happened is in the scenarios only.",
            "• Orders fill at the next open at its price, less the fee; a market that cannot be traded in size is not "
            "simulated but by an outage.",
            f"• Positions, weights and stops start anew {_length(written.lead)} before what is measured.",
            "• A gap moves all instruments by the same share; venues keep their recorded basis but where a scenario "
            "says otherwise. Pairs pay no funding.",
            "• Limits are in force while it runs: a profile in drawdown lowers positions only, so losses are those "
            "that remain.",
        ],
    )
    yield (
        "Scenarios",
        [f"• {name.replace('_', ' ')}: {_described(scenario)}" for name, scenario in written.scenarios.items()],
    )
    yield ("Recorded history", [_recorded(one) for one in found.profiles])
    made = software()
    yield (
        "Provenance",
        [
            f"• barstep {made['barstep']}, numba {made['numba']}, numpy {made['numpy']}; kernels "
            f"{made['kernels'][:24]}…, arithmetic {made['arithmetic'][:24]}…",
            f"• configuration SHA-384 {content_sha384(found.chosen.core)[:48]}…",
            f"• scenarios SHA-384 {scenarios_sha384(found.scenarios)[:48]}…",
            *(
                f"• {bars.venue} {bars.symbol}: {len(bars):,} bars, {_instant(int(bars.ts_us[0]))} to "
                f"{_instant(int(bars.ts_us[-1]))}, SHA-384 {bars.content_digest[:24]}…"
                for bars in _histories(found)
            ),
        ],
    )


def _histories(found: RiskSimulation) -> list[Bars]:
    """Each history once."""
    return list({bars.content_digest: bars for one in found.profiles for bars in one.bars}.values())


def _recorded(one: ProfileRisk) -> str:
    told = one.recorded
    limit = one.limits.max_drawdown_pct
    over = "; from there it only lowered positions" if limit is not None and told.max_drawdown_pct > limit else ""
    beside = "" if limit is None else f" (limit {limit:g}{over})"
    return (
        f"• {one.name} alone over all recorded bars: {-told.loss_pct:+.2f} %, deepest drawdown "
        f"{told.max_drawdown_pct:.2f} %{beside}, worst day {float(told.day_losses_pct[:, 1].max(initial=0.0)):.2f} %, "
        f"greatest position {float(told.positions_pct.max(initial=0.0)):.1f} %. For comparison; it does not decide."
    )


def origin(found: RiskSimulation) -> str:
    """The foot of every page."""
    return (
        f"barstep {software()['barstep']} · {found.chosen.name} in {found.chosen.environment} · seed {found.seed} · "
        f"{found.paths:,} paths · configuration {content_sha384(found.chosen.core)[:16]}"
    )


def what_happens(runs: ScenarioRuns) -> str:
    """A scenario in a few words."""
    plain = msgspec.to_builtins(runs.scenario)
    feeds = {"all": "", "primary": ", first venue", "secondary": ", second legs"}[plain.get("feeds", "all")]
    match plain["kind"]:
        case "price_gap":
            return f"opens {plain['gap_pct']:+g} %{feeds}"
        case "volatility_shock":
            return f"moves × {plain['factor']:g} for {_length(plain['duration'])}"
        case "correlation_to_one":
            return f"one market, moves × {plain['factor']:g}, {_length(plain['duration'])}"
        case "venue_outage":
            after = f", then {plain['gap_pct']:+g} %" if plain["gap_pct"] else ""
            return f"out for {_length(plain['duration'])}{feeds}{after}"
        case _:
            return f"{plain['rate_pct']:+g} % per {_length(plain['every'])}, {_length(plain['duration'])}"


def _described(scenario: object) -> str:
    plain = msgspec.to_builtins(scenario)
    held = ", ".join(plain.pop("held_to")) or "nothing"
    kind = plain.pop("kind").replace("_", " ")
    rest = ", ".join(
        f"{name} {_length(value) if name in {'duration', 'every'} else value}"
        for name, value in plain.items()
        if value is not None
    )
    return f"{kind}: {rest}; held to {held}"


def _tolerated(found: RiskSimulation) -> list[tuple[Limit, float]]:
    return [(limit, getattr(found.scenarios.tolerated, limit)) for limit in LIMITS]


def _instant(us: int) -> str:
    return f"{instant_at(us):%Y-%m-%d %H:%M}"


def _length(seconds: float) -> str:
    for size, word in ((_DAY, "day"), (3_600.0, "hour"), (60.0, "minute")):
        if seconds >= size and seconds % size == 0:
            count = round(seconds / size)
            return f"{count} {word}{'' if count == 1 else 's'}"
    return f"{seconds:g} seconds"


def _plain(text: str) -> Cell:
    return text, INK


def _table(
    axes: Axes, title: str, headings: Sequence[str], rows: Sequence[Sequence[Cell]], widths: Sequence[float]
) -> None:
    """Rows under headings; the first columns of words stand left, those of figures right."""
    axes.set_title(title, loc="left", size=9, weight="bold")
    axes.set_axis_off()
    axes.set_xlim(0, sum(widths))
    axes.set_ylim(len(rows), -1)
    left = 0.0
    for place, (heading, width) in enumerate(zip(headings, widths, strict=True)):
        words = place == 0 or heading in {"what happens", "verdict", "worst scenario"}
        x, side = (left, "left") if words else (left + width - 0.04, "right")
        x += 0.12 if words and place else 0.0
        axes.text(x, -0.45, heading, ha=side, va="center", color=MUTED, size=6.5)
        for down, row in enumerate(rows):
            text, color = row[place]
            weight = "bold" if text in {"BREACH", "ok"} else "normal"
            axes.text(x, down + 0.5, text, ha=side, va="center", size=7, color=color, weight=weight)
        left += width
    for down in range(len(rows) + 1):
        axes.plot([0, sum(widths)], [down, down], color=RULE, linewidth=0.5, clip_on=False)
