"""Import: a vendor's file, or several, into one normalised dataset, with everything that was found or assumed.

Rows are kept as the source has them, sorted by time. A row is dropped only where a dataset cannot hold it (a time
that occurs twice, or that does not exist), and then it is counted and located.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import polars as pl

from ..errors import DataError, UsageError, nearest
from .arranging import LabelChoice, drop_duplicates, find_unfinished, place_in_time, shift_to_open, sort_rows
from .check import check_bars
from .dataset import SIDES, VALUE_COLUMNS, Dataset, DatasetInfo, Side, most_common_step
from .durations import format_interval, parse_interval
from .findings import Finding
from .formats.bars import RawBars, read_bars
from .formats.containers import Content, open_content
from .formats.headed import recognise_headed
from .formats.headless import recognise_headless
from .formats.refusals import refuse_other_tables
from .formats.structured import read_binary, read_json
from .formats.table import LINE, Table
from .formats.text import read_text
from .naming import Names, guess_names
from .recordings import RecordedBars, is_recording, read_recording
from .zones import check_zone


@dataclass(frozen=True, kw_only=True)
class Imported:
    """A dataset and how it came about.

    Attributes:
        dataset: The bars, not written anywhere yet.
        format_name: The vendor's format.
        notes: What was assumed, shifted or dropped on the way.
        checks: What is wrong with the bars themselves.
    """

    dataset: Dataset
    format_name: str
    notes: tuple[Finding, ...]
    checks: tuple[Finding, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that was found."""
        return (*self.notes, *self.checks)


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """What a person knows about a file and the file does not say; None leaves it to the file.

    Attributes:
        symbol: The instrument.
        venue: Where it trades.
        interval: Length of a bar, as `1m` or in seconds.
        timezone: Zone of written times.
        columns: From `timestamp`, `open`, ... to the vendor's column.
        label: Whether times mark a bar's start or its end.
        side: What the prices are.
    """

    symbol: str | None = None
    venue: str | None = None
    interval: str | int | None = None
    timezone: str | None = None
    columns: Mapping[str, str] | None = None
    label: LabelChoice = "auto"
    side: Side | None = None

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("label", self.label, get_args(LabelChoice)),
            ("side", self.side or "trade", SIDES),
        ):
            if value not in allowed:
                raise UsageError(f"{name} {value!r}:{nearest(value, allowed)} Allowed: {', '.join(allowed)}.")
        if self.timezone is not None:
            check_zone(self.timezone)


def import_file(path: str | Path, options: ImportOptions | None = None) -> Imported:
    """Read a vendor's file into a normalised dataset; nothing is written.

    Raises:
        DataError: The file cannot be read, or holds no bars.
        UsageError: An option does not fit the file.
    """
    options = options or ImportOptions()
    if is_recording(Path(path)):
        return _one_leg(Path(path), import_recording(path, options))
    content = open_content(Path(path))
    table = _read_table(content)
    if not options.columns:
        refuse_other_tables(table)
    if table.has_header or options.columns:
        layout = recognise_headed(table, options.columns)
    else:
        layout = recognise_headless(table, content.names, options.side)
    return _normalise(read_bars(table, layout), content, options)


def import_recording(path: str | Path, options: ImportOptions | None = None) -> list[Imported]:
    """Read the bars that a live run was told into datasets, one for each instrument on each venue.

    Args:
        path: The recording.
        options: `symbol` and `venue` choose among them, all others are in the file.

    Raises:
        DataError: It cannot be read, or none of its legs is so.
        UsageError: An option does not fit a recording.
    """
    options = options or ImportOptions()
    for name in ("interval", "timezone", "columns", "side"):
        if getattr(options, name) is not None:
            raise UsageError(f"--{name.removesuffix('s')}: a recording says itself what its bars are; leave it out.")
    interval_seconds, legs = read_recording(Path(path))
    chosen = [
        one
        for one in legs
        if one.ts_us.size
        and options.symbol in (None, one.leg.name, one.leg.symbol)
        and options.venue in (None, one.leg.venue)
    ]
    if not chosen:
        raise DataError(f"{path}: holds {_legs_told(legs)}; of none that is asked for there are bars.")
    return [_recorded(Path(path), one, interval_seconds) for one in chosen]


def _recorded(path: Path, one: RecordedBars, interval_seconds: int) -> Imported:
    times = pl.from_epoch(pl.Series("timestamp", one.ts_us), time_unit="us").dt.replace_time_zone("UTC")
    frame = pl.DataFrame([times, *(pl.Series(name, row) for name, row in zip(VALUE_COLUMNS, one.rows, strict=True))])
    info = DatasetInfo(symbol=one.leg.symbol, venue=one.leg.venue, interval_seconds=interval_seconds, source=path.name)
    checks = _checks(frame, interval_seconds)
    return Imported(dataset=Dataset(frame, info), format_name="a live run's recording", notes=(), checks=checks)


def _one_leg(path: Path, found: Sequence[Imported]) -> Imported:
    if len(found) > 1:
        told = ", ".join(f"{one.dataset.info.venue}:{one.dataset.info.symbol}" for one in found)
        raise DataError(f"{path}: holds {told}; one dataset holds one instrument. Choose with --symbol and --venue.")
    return found[0]


def _legs_told(legs: Sequence[RecordedBars]) -> str:
    return ", ".join(f"{one.leg.venue}:{one.leg.symbol} ({one.ts_us.size:,} bars)" for one in legs)


def _read_table(content: Content) -> Table:
    if content.kind == "json":
        return read_json(content)
    return read_text(content) if content.kind == "text" else read_binary(content)


def _normalise(raw: RawBars, content: Content, options: ImportOptions) -> Imported:
    notes = list(raw.notes)
    names = _merge_names(content.names)
    frame, time_notes = place_in_time(raw, options.timezone)
    frame, order_notes = sort_rows(frame, raw.table.place)
    frame, duplicate_notes = drop_duplicates(frame, raw.table.place)
    notes += [*time_notes, *order_notes, *duplicate_notes]
    if frame.is_empty():
        raise DataError(f"{content.where}: no row is left that a dataset can hold: no bars.")
    interval_seconds, interval_notes = _interval(frame, names, options, content.where)
    frame, label_note = shift_to_open(
        frame, interval_seconds, choice=options.label, layout=raw.layout, dates=raw.times.clock == "date"
    )
    unfinished = find_unfinished(frame, interval_seconds, raw.layout.hints)
    side, side_notes = _side(raw, names, options)
    info, name_notes = _name(raw, names, options, content)
    notes += [*interval_notes, label_note, *unfinished, *side_notes, *name_notes]
    bars = frame.select("timestamp", *VALUE_COLUMNS).rechunk()
    info = replace(info, interval_seconds=interval_seconds, side=side, notes=_sentences(notes))
    return Imported(
        dataset=Dataset(bars, info),
        format_name=raw.layout.name,
        notes=tuple(notes),
        checks=_checks(bars, interval_seconds),
    )


def _sentences(notes: Sequence[Finding]) -> tuple[str, ...]:
    return tuple(f"{note.code}: {note.text}" for note in notes)


def _merge_names(names: Sequence[str]) -> Names:
    """Hints of the file's own name first, then those of an archive's member."""
    merged = Names()
    for name in names:
        guess = guess_names(name)
        merged = Names(
            symbol=merged.symbol or guess.symbol,
            venue=merged.venue or guess.venue,
            interval_seconds=merged.interval_seconds or guess.interval_seconds,
            side=merged.side or guess.side,
        )
    return merged


def _interval(frame: pl.DataFrame, names: Names, options: ImportOptions, where: str) -> tuple[int, list[Finding]]:
    """Length of a bar: as asked for, else the most common step, else what the name says."""
    step = most_common_step(frame["timestamp"].to_physical().to_numpy())
    if options.interval is not None:
        seconds = parse_interval(options.interval)
        if step is None or step == seconds:
            return seconds, []
        text = (
            f"the most common step is {format_interval(step)}; the interval is {format_interval(seconds)} as asked for"
        )
        return seconds, [Finding(code="interval-differs", severity="warning", text=text)]
    if step is None:
        if names.interval_seconds is None:
            raise DataError(f"{where}: one bar, so its interval cannot be told; add --interval, such as --interval 1h.")
        text = f"one bar only; its interval {format_interval(names.interval_seconds)} is taken from the file's name"
        return names.interval_seconds, [Finding(code="interval-from-name", severity="warning", text=text)]
    if names.interval_seconds not in (None, step):
        named = format_interval(names.interval_seconds or step)
        text = f"the most common step is {format_interval(step)} while the file's name says {named}; the step was taken"
        return step, [Finding(code="interval-differs", severity="warning", text=text)]
    return step, []


def _side(raw: RawBars, names: Names, options: ImportOptions) -> tuple[Side, list[Finding]]:
    """Trades, unless a person, the format or the file's name says quotes or mark prices."""
    if options.side is not None:
        side, source = options.side, "as asked for"
    elif raw.layout.side != "trade":
        side, source = raw.layout.side, f"as {raw.layout.name} holds"
    elif names.side is not None:
        side, source = names.side, "by the file's name"
    else:
        return "trade", []
    if side == "trade":
        return side, []
    what = "the venue's mark price" if side == "mark" else f"{side} quotes"
    return side, [Finding(code=f"{side}-prices", severity="info", text=f"prices are {what}, not trades, {source}")]


def _name(raw: RawBars, names: Names, options: ImportOptions, content: Content) -> tuple[DatasetInfo, list[Finding]]:
    """Symbol and venue: as asked for, else from the content, else from the name."""
    notes = []
    symbol = options.symbol or raw.layout.hints.symbol or names.symbol
    if symbol is None:
        symbol = content.names[0].split(".")[0].upper()
        text = f"neither content nor name tells the symbol; {symbol!r} is the file's name (--symbol says otherwise)"
        notes.append(Finding(code="symbol-assumed", severity="warning", text=text))
    venue = options.venue or names.venue or raw.layout.hints.venue
    if venue is None:
        text = "neither content nor name tells the venue (--venue names it)"
        notes.append(Finding(code="venue-unknown", severity="info", text=text))
    info = DatasetInfo(symbol=symbol, venue=venue or "unknown", interval_seconds=1, source=content.names[0])
    return info, notes


def import_files(
    paths: Sequence[str | Path],
    options: ImportOptions | None = None,
    *,
    progress: Callable[[Path], None] | None = None,
) -> Imported:
    """Read several files of one instrument, such as monthly dumps, into one dataset.

    Where two files hold the same time the file named last wins; identical rows and conflicts are told apart.

    Args:
        paths: The files, in order of rising authority.
        options: What the files do not say, the same for all.
        progress: Called with each file after it was read.

    Raises:
        DataError: A file cannot be read, or the files differ in symbol, venue, interval or side.
    """
    imports = []
    for path in paths:
        imports.append(import_file(path, options))
        if progress is not None:
            progress(Path(path))
    if not imports:
        raise UsageError("no file to import.")
    if len(imports) == 1:
        return imports[0]
    info = imports[0].dataset.info
    for other_path, other in zip(paths, imports, strict=True):
        _refuse_difference(Path(other_path), other.dataset.info, Path(paths[0]), info)
    joined = pl.concat(
        imported.dataset.frame.with_columns(pl.lit(position, dtype=pl.Int64).alias(LINE))
        for position, imported in enumerate(imports, start=1)
    ).sort("timestamp", maintain_order=True)
    frame, overlap = drop_duplicates(joined, "file")
    bars = frame.select("timestamp", *VALUE_COLUMNS).rechunk()
    notes = (*_notes_by_file(paths, imports), *overlap)
    sources = ", ".join(Path(path).name for path in paths)
    info = replace(info, source=sources, notes=_sentences(notes))
    return Imported(
        dataset=Dataset(bars, info),
        format_name=" + ".join(dict.fromkeys(imported.format_name for imported in imports)),
        notes=notes,
        checks=_checks(bars, info.interval_seconds),
    )


def _refuse_difference(path: Path, info: DatasetInfo, first_path: Path, first: DatasetInfo) -> None:
    for name in ("symbol", "venue", "interval_seconds", "side"):
        found, wanted = getattr(info, name), getattr(first, name)
        if found != wanted:
            raise DataError(
                f"{path}: {name} is {found!r} and in {first_path} it is {wanted!r}; one dataset holds one instrument. "
                "Import the files one by one, or say what they are with --symbol, --venue and --interval."
            )


def _notes_by_file(paths: Sequence[str | Path], imports: Sequence[Imported]) -> list[Finding]:
    """Notes that all files share once, and each other one with its file."""
    shared = [note for note in imports[0].notes if all(note in imported.notes for imported in imports)]
    own = [
        replace(note, text=f"{Path(path).name}: {note.text}")
        for path, imported in zip(paths, imports, strict=True)
        for note in imported.notes
        if note not in shared
    ]
    return [*shared, *own]


def _checks(bars: pl.DataFrame, interval_seconds: int) -> tuple[Finding, ...]:
    """The checks without that of absent volumes: the import has already said why there are none."""
    return tuple(found for found in check_bars(bars, interval_seconds) if found.code != "volume-absent")
