"""The charts over time, on one x-axis, each with the words of its heading."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from bokeh.core.properties import value
from bokeh.models import ColumnDataSource, NumeralTickFormatter, Range1d

from .capital import shares
from .costs import band_words
from .figures import add_hover, new_figure, new_pointer, time_axis
from .interventions import lanes, stretches
from .lanes import AXIS, LANE, draw_lanes
from .montecarlo import words
from .profits import profits
from .series import MILLISECONDS, SPANS, Series
from .sheet import Governed, Sheet
from .stack import parts

_TALL, _LOW = 300, 170
_TIME = ("time", "@x{%F %R}")

_Sources = Mapping[str, ColumnDataSource]


@dataclass(frozen=True)
class Chart:
    """A section of the page.

    Attributes:
        title: Its heading.
        figures: Its figures by the names of their boxes, one of which is shown; of equity one is on a log scale.
        unit: What its numbers are.
        keys: The legend: names of colours and what is drawn in them.
        note: What there is to say below it.
        choices: Where a reader chooses among figures: by the figure's name, its name in the choice and its legend.
    """

    title: str
    figures: dict[str, Any]
    unit: str = ""
    keys: tuple[tuple[str, str], ...] = ()
    note: str = ""
    choices: Mapping[str, tuple[str, tuple[tuple[str, str], ...]]] = field(default_factory=dict)


def time_charts(sheet: Sheet, series: Mapping[str, Series]) -> list[Chart]:
    """The charts in the order of the page: equity and drawdown first."""
    sources = {name: _source(name, each) for name, each in series.items()}
    shared, pointer = time_axis(sheet), new_pointer()

    def figure(name: str, height: int = _LOW) -> Any:
        return new_figure(name, shared, height, pointer)

    found = [_equity({name: figure(name, _TALL) for name in ("equity", "equity_log")}, sources, sheet)]
    if sheet.governed is not None:
        found += _interventions(figure, sheet, sheet.governed)
    found.append(_drawdown(figure("drawdown"), sources["drawdown"]))
    if sheet.montecarlo is not None:
        found.append(_montecarlo(figure("montecarlo", _TALL), sources, words(sheet.montecarlo)))
    if sheet.weights is None:
        return [*found, _position(figure("position"), sources["position"], sheet)]
    if sheet.governed is not None:
        found += _governed(figure, sources, sheet, sheet.governed)
    return [
        *found,
        _exposure(figure("exposure"), sources),
        _weights(figure("weights", _TALL), sources["weights"], list(parts(sheet.weights))),
    ]


def _source(name: str, series: Series) -> ColumnDataSource:
    """The first point alone, so that there is a range to begin with: the page's script fills in all."""
    columns = {column: values[:1] for column, values in series.columns.items()}
    if "height0" in columns:
        columns |= {f"{edge}{place}": columns["height0"] for place in range(len(columns)) for edge in ("base", "top")}
    return ColumnDataSource({"x": series.ts_us[:1] / MILLISECONDS, **columns}, name=f"{name}_points")


def _equity(figures: dict[str, Any], sources: _Sources, sheet: Sheet) -> Chart:
    keys = [("equity", "equity"), ("benchmark", "buy and hold")]
    if sheet.ambiguity:
        keys.append(("band", "between the worse and the better order in ambiguous bars"))
    for figure in figures.values():
        if sheet.ambiguity:
            _band(figure, sources["band"], sheet.other_order)
        for name, text in keys[:2]:
            side: Literal["left", "right"] = "right" if name == "equity" else "left"
            line = figure.line("x", "y", source=sources[name], name=name, line_width=1.25)
            if sheet.equity.height == 1:
                figure.scatter("x", "y", source=sources[name], name=name, size=6)  # a line through a point is not seen
            add_hover(figure, line, [(text, "@y{0,0.00}"), _TIME]).attachment = side
        figure.yaxis.formatter = NumeralTickFormatter(format="0.[000]a")
    return Chart("Equity", figures, keys=tuple(keys), note=band_words(sheet))


def _band(figure: Any, source: ColumnDataSource, other: str) -> None:
    """The area between both orders, with a line where equity is not."""
    figure.varea("x", "worse", "better", source=source, name="band", fill_alpha=0.3)
    edge = figure.line("x", other, source=source, name="band", line_width=1)
    add_hover(figure, edge, [(f"{other} order", f"@{other}{{0,0.00}}"), _TIME]).attachment = "above"


def _drawdown(figure: Any, source: ColumnDataSource) -> Chart:
    figure.varea("x", value(0.0), "y", source=source, name="drawdown", fill_alpha=0.25)
    line = figure.line("x", "y", source=source, name="drawdown", line_width=1.25)
    add_hover(figure, line, [("drawdown", "@y{0.00} %"), _TIME])
    figure.yaxis.formatter = NumeralTickFormatter(format="0.[00]")
    return Chart("Drawdown", {"drawdown": figure}, unit="% under the peak so far")


def _montecarlo(figure: Any, sources: _Sources, note: str) -> Chart:
    """Equity between the bands that nine and five of ten paths are in at each time."""
    bands = sources["montecarlo"]
    for low, high, name in (("p5", "p95", "band90"), ("p25", "p75", "band50")):
        figure.varea("x", low, high, source=bands, name=name, fill_alpha=0.9)
    middle = figure.line("x", "p50", source=bands, name="median", line_width=1.25, line_dash="dashed")
    own = figure.line("x", "y", source=sources["equity"], name="equity", line_width=1.25)
    quantiles = [(f"{share} %", f"@p{share}{{0,0.00}}") for share in (95, 75, 50, 25, 5)]
    add_hover(figure, middle, [*quantiles, _TIME]).attachment = "left"
    add_hover(figure, own, [("equity", "@y{0,0.00}"), _TIME]).attachment = "right"
    figure.yaxis.formatter = NumeralTickFormatter(format="0.[000]a")
    keys = (
        ("equity", "equity"),
        ("median", "median of the paths"),
        ("band50", "half of the paths"),
        ("band90", "nine of ten"),
    )
    return Chart("Monte Carlo", {"montecarlo": figure}, unit="equity in resampled histories", keys=keys, note=note)


def _position(figure: Any, source: ColumnDataSource, sheet: Sheet) -> Chart:
    figure.varea_step("x", value(0.0), "y", source=source, name="position", fill_alpha=0.25, step_mode="after")
    line = figure.step("x", "y", source=source, name="position", line_width=1.25, mode="after")
    add_hover(figure, line, [("position", "@y{0,0.[000000]}"), _TIME])
    figure.yaxis.formatter = NumeralTickFormatter(format="0.[0000]a")
    data = sheet.document["data"]
    where = f", on {data[0]['venue']} {data[0]['symbol']}" if len(data) > 1 else ""
    return Chart("Position", {"position": figure}, unit=f"units held at each close{where}")


def _exposure(figure: Any, sources: _Sources) -> Chart:
    sides: tuple[tuple[str, Literal["left", "right"]], ...] = (("gross", "left"), ("net", "right"))
    for name, side in sides:
        line = figure.step("x", "y", source=sources[name], name=name, line_width=1.25, mode="after")
        add_hover(figure, line, [(name, "@y{0,0.0} %"), _TIME]).attachment = side
    figure.yaxis.formatter = NumeralTickFormatter(format="0,0.[0]")
    keys = (("gross", "gross: the sizes of all positions"), ("net", "net: long less short"))
    return Chart("Exposure", {"exposure": figure}, unit="% of equity, at each close", keys=keys)


def _weights(figure: Any, source: ColumnDataSource, names: list[str]) -> Chart:
    keys = _part_keys(names)
    _areas(figure, source, keys)
    note = "Means over equal spans of time: the shorter the stretch in view, the shorter they are."
    return Chart("Weights", {"weights": figure}, unit="% of equity by instrument, short below 0", keys=keys, note=note)


def _part_keys(names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The colours of parts in their order."""
    return tuple((f"part{place}", name) for place, name in enumerate(names))


def _areas(figure: Any, source: ColumnDataSource, keys: Sequence[tuple[str, str]]) -> None:
    """Areas that stand on one another, in these colours."""
    for place, (color, _) in enumerate(keys):
        figure.varea_step(
            "x", f"base{place}", f"top{place}", source=source, name=color, fill_alpha=0.85, step_mode="after"
        )
    unseen = figure.line("x", "top0", source=source, name=keys[0][0], line_alpha=0.0)
    told = [(name, f"@height{place}{{0,0.0}} %") for place, (_, name) in enumerate(keys)]
    add_hover(figure, unseen, [*told, _TIME])
    figure.yaxis.formatter = NumeralTickFormatter(format="0,0.[0]")


def _interventions(figure: Callable[[str, int], Any], sheet: Sheet, governed: Governed) -> list[Chart]:
    """The lanes, where there is anything to draw."""
    drawn = lanes(sheet, stretches(sheet, governed))
    if not drawn:
        return []
    chart = figure("interventions", LANE * len(drawn) + AXIS)
    draw_lanes(chart, sheet, drawn)
    unit = "reasons at the pointer, and under Interventions"
    return [Chart("What held it back", {"interventions": chart}, unit=unit)]


def _governed(
    figure: Callable[[str, int], Any], sources: _Sources, sheet: Sheet, governed: Governed
) -> Iterator[Chart]:
    """Shares of capital and profits."""
    if governed.capital_weights.height:
        yield _capital(figure("capital", _TALL), sources["capital"], sheet, governed)
    by_grouping = profits(sheet, governed)
    figures = {f"profit_{by}": figure(f"profit_{by}", _TALL) for by in by_grouping}
    for name, chart in figures.items():
        _profit(chart, name, sources, list(by_grouping[name.removeprefix("profit_")]))
    choices = {f"profit_{by}": (f"by {by.replace('_', ' ')}", _part_keys(names)) for by, names in by_grouping.items()}
    yield Chart("Profit", figures, unit="so far, after costs, at each close", choices=choices)


def _capital(figure: Any, source: ColumnDataSource, sheet: Sheet, governed: Governed) -> Chart:
    *names, cash = shares(sheet, governed.capital_weights, SPANS).names
    keys = (*_part_keys(names), (cash, cash))
    _areas(figure, source, keys)
    figure.y_range = Range1d(start=0.0, end=100.0)
    note = "Steps of less than four pixels are drawn as their mean over time."
    unit = "% by schedule, from refresh to refresh"
    return Chart("Shares of capital", {"capital": figure}, unit=unit, keys=keys, note=note)


def _profit(figure: Any, name: str, sources: _Sources, names: Sequence[str]) -> None:
    for place, text in enumerate(names):
        line = figure.line("x", "y", source=sources[f"{name}{place}"], name=f"part{place}", line_width=1.25)
        add_hover(figure, line, [(text, "@y{+0,0.00}"), _TIME], mode="mouse")
    figure.yaxis.formatter = NumeralTickFormatter(format="0.[000]a")
