"""The charts over time, on one x-axis, each with the words of its heading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bokeh.core.properties import value
from bokeh.models import ColumnDataSource, NumeralTickFormatter

from .costs import band_words
from .figures import add_hover, new_figure, new_pointer, time_axis
from .series import MILLISECONDS, Series
from .sheet import Sheet
from .stack import parts

_TALL, _LOW = 300, 170
_TIME = ("time", "@x{%F %R}")

_Sources = Mapping[str, ColumnDataSource]


@dataclass(frozen=True)
class Chart:
    """A section of the page.

    Attributes:
        title: Its heading.
        figures: Its figures by the names of their boxes; of equity there is one on a log scale too.
        unit: What its numbers are.
        keys: The legend: names of colours and what is drawn in them.
        note: What there is to say below it.
    """

    title: str
    figures: dict[str, Any]
    unit: str = ""
    keys: tuple[tuple[str, str], ...] = ()
    note: str = ""


def time_charts(sheet: Sheet, series: Mapping[str, Series]) -> list[Chart]:
    """The charts in the order of the page: equity and drawdown first."""
    sources = {name: _source(name, each) for name, each in series.items()}
    shared, pointer = time_axis(sheet), new_pointer()

    def figure(name: str, height: int = _LOW) -> Any:
        return new_figure(name, shared, height, pointer)

    found = [
        _equity({name: figure(name, _TALL) for name in ("equity", "equity_log")}, sources, sheet),
        _drawdown(figure("drawdown"), sources["drawdown"]),
    ]
    if sheet.weights is None:
        return [*found, _position(figure("position"), sources["position"], sheet)]
    return [
        *found,
        _exposure(figure("exposure"), sources),
        _weights(figure("weights", _TALL), sources["weights"], list(parts(sheet.weights))),
    ]


def _source(name: str, series: Series) -> ColumnDataSource:
    """The first point alone, so that there is a range to begin with: the page's script fills in all."""
    columns = {column: values[:1] for column, values in series.columns.items()}
    if name == "weights":
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
    for place in range(len(names)):
        figure.varea_step(
            "x", f"base{place}", f"top{place}", source=source, name=f"part{place}", fill_alpha=0.85, step_mode="after"
        )
    unseen = figure.line("x", "top0", source=source, name="part0", line_alpha=0.0)
    told = [(name, f"@height{place}{{0,0.0}} %") for place, name in enumerate(names)]
    add_hover(figure, unseen, [*told, _TIME])
    figure.yaxis.formatter = NumeralTickFormatter(format="0,0.[0]")
    keys = tuple((f"part{place}", name) for place, name in enumerate(names))
    note = "Means over equal spans of time: the shorter the stretch in view, the shorter they are."
    return Chart("Weights", {"weights": figure}, unit="% of equity by instrument, short below 0", keys=keys, note=note)
