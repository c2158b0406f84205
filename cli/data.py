"""`barstep data …`: import, check, generate, resample, info.

Everything but Typer is imported inside the commands, so that help and completion answer at once.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import UsageError, refuse_existing, unknown_name
from .data_cache import cache_command

if TYPE_CHECKING:
    from ..data.dataset import Dataset
    from ..data.findings import Finding
    from ..data.importing import Imported, ImportOptions

app = typer.Typer(
    rich_markup_mode=None, help="Import, check, generate, resample, cache and describe bar data.", no_args_is_help=True
)
app.command("cache")(cache_command)

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there already.")]

USER_FOLDER = Path("data/user")


@app.command("import")
def import_command(
    files: Annotated[list[Path], typer.Argument(help="Files of one instrument; the last one wins where two overlap.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File or folder; by default a folder data/user.")
    ] = None,
    symbol: Annotated[str | None, typer.Option(help="Instrument, where neither content nor name tells it.")] = None,
    venue: Annotated[str | None, typer.Option(help="Venue, where neither content nor name tells it.")] = None,
    interval: Annotated[str | None, typer.Option(help="Length of a bar, such as 1m or 1h.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Zone of written times: America/New_York, UTC-05:00.")] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="Which column is what, such as close=Last. May be repeated.")
    ] = None,
    label: Annotated[str, typer.Option(help="What times mark: start or end of a bar, or auto.")] = "auto",
    side: Annotated[str | None, typer.Option(help="What prices are: trade, bid, ask or mark.")] = None,
    overwrite: OverwriteOption = False,
    json_output: JsonOption = False,
) -> None:
    """Read vendors' files into one normalised dataset; the format is told from the content.

    A live run's recording becomes a dataset for each of its instruments; --symbol and --venue choose among them.
    """
    from ..data.dataset import write_dataset
    from ..data.importing import ImportOptions
    from ..data.recordings import is_recording

    options = ImportOptions(
        symbol=symbol,
        venue=venue,
        interval=interval,
        timezone=timezone,
        columns=_column_mapping(column or []),
        label=label,  # type: ignore[arg-type]  # checked by ImportOptions, with advice
        side=side,  # type: ignore[arg-type]
    )
    if len(files) == 1 and is_recording(files[0]):
        _import_recording(files[0], options, output, overwrite=overwrite, json_output=json_output)
        return
    imported = _import_with_progress(files, options, quiet=json_output)
    path = _output_path(output, imported.dataset, USER_FOLDER)
    refuse_existing(path, overwrite=overwrite)
    written = write_dataset(imported.dataset.frame, imported.dataset.info, path)
    if json_output:
        document = {"format": imported.format_name, "output": str(path), "dataset": _facts(written)}
        _print_json({**document, "findings": [finding.as_json() for finding in imported.findings]})
        return
    _print_findings(imported.findings, title=f"{', '.join(file.name for file in files)}: {imported.format_name}")
    _say_written(path, written)


def _import_recording(
    file: Path, options: ImportOptions, output: Path | None, *, overwrite: bool, json_output: bool
) -> None:
    """Write a dataset for each leg of a recording."""
    from ..data.dataset import write_dataset
    from ..data.importing import import_recording

    found = import_recording(file, options)
    if len(found) > 1 and output is not None and output.suffix == ".parquet":
        raise UsageError(f"--output {output}: the recording holds {len(found)} instruments; name a folder.")
    paths = [_output_path(output, imported.dataset, USER_FOLDER) for imported in found]
    for path in paths:
        refuse_existing(path, overwrite=overwrite)
    documents = []
    for path, imported in zip(paths, found, strict=True):
        written = write_dataset(imported.dataset.frame, imported.dataset.info, path)
        findings = [finding.as_json() for finding in imported.findings]
        documents.append({"output": str(path), "dataset": _facts(written), "findings": findings})
        if not json_output:
            _print_findings(imported.findings, title=f"{file.name}: {imported.dataset.info.symbol}")
            _say_written(path, written)
    if json_output:
        _print_json({"format": found[0].format_name, "files": documents})


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A dataset, or any file that `import` reads.")],
    repair: Annotated[
        list[str] | None,
        typer.Option(
            help="Repairs, divided by commas: sort, drop-duplicates, drop-nan, drop-nonpositive, clip-ohlc, "
            "drop-off-grid, drop-unfinished, fill-gaps."
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where the repaired bars go; by default beside the file.")
    ] = None,
    now: Annotated[
        str | None, typer.Option(help="The present, such as 2024-01-31T12:00:00Z: later bars are unfinished.")
    ] = None,
    overwrite: OverwriteOption = False,
    json_output: JsonOption = False,
) -> None:
    """Count and locate what is wrong with bars; exit 1 if there are errors. Repairs go to another file."""
    from ..data.checking import check_file
    from ..data.findings import has_errors
    from ..data.instants import read_instant

    now_us = None if now is None else int(read_instant("--now", now).timestamp() * 1_000_000)
    policies = [name.strip() for names in repair or [] for name in names.split(",") if name.strip()]
    if output is not None and not policies:
        raise UsageError("--output without --repair: a check writes nothing.")
    checked = check_file(file, now_us=now_us)
    document: dict[str, Any] = {
        "file": str(file),
        "rows": checked.frame.height,
        "findings": [finding.as_json() for finding in checked.findings],
    }
    if not json_output:
        _print_findings(checked.findings, title=f"{file}: {checked.frame.height:,} bars")
    remaining = checked.findings
    if policies:
        remaining, repaired = _repair(file, output, policies, now_us, overwrite=overwrite, json_output=json_output)
        document |= repaired
    if json_output:
        _print_json({**document, "ok": not has_errors(remaining)})
    if has_errors(remaining):
        raise typer.Exit(1)


def _repair(
    file: Path, output: Path | None, policies: list[str], now_us: int | None, *, overwrite: bool, json_output: bool
) -> tuple[tuple[Finding, ...], dict[str, Any]]:
    """Repair a file into another one; what is still wrong with it afterwards, and the facts for JSON."""
    from dataclasses import replace

    from ..data.check import check_bars
    from ..data.checking import check_file
    from ..data.dataset import write_dataset
    from ..data.repair import repair_bars

    checked = check_file(file, now_us=now_us)
    path = output or _folder_of(file) / f"{file.name.split('.')[0]}.repaired.parquet"
    refuse_existing(path, overwrite=overwrite)
    seconds = checked.info.interval_seconds
    repaired = repair_bars(checked.frame, seconds, policies, now_us=now_us)
    remaining = tuple(check_bars(repaired.frame, seconds, now_us=now_us))
    notes = (*checked.info.notes, *(f"{change.code}: {change.text}" for change in repaired.changes if change.count))
    written = write_dataset(repaired.frame, replace(checked.info, notes=notes), path)
    if not json_output:
        _print_findings(repaired.changes, title="Repairs")
        _print_findings(remaining, title="After the repairs")
        _say_written(path, written)
    return remaining, {
        "output": str(path),
        "repairs": [change.as_json() for change in repaired.changes],
        "remaining": [finding.as_json() for finding in remaining],
        "dataset": _facts(written),
    }


@app.command()
def generate(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the files.")] = USER_FOLDER,
    preset: Annotated[str | None, typer.Option(help="A ready market: embedded (the sample datasets).")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Chooses the market; the same seed gives the same bars.")] = 1,
    symbols: Annotated[str, typer.Option(help="Instruments, divided by commas.")] = "BTCUSDT,ETHUSDT,SOLUSDT",
    venues: Annotated[str, typer.Option(help="Venues, divided by commas; the first one leads.")] = "binance,kraken",
    start: Annotated[str, typer.Option(help="Open of the first bar.")] = "2024-01-01",
    end: Annotated[str, typer.Option(help="End of the last bar.")] = "2024-07-01",
    interval: Annotated[str, typer.Option(help="Length of a bar, a multiple of 1m.")] = "1h",
    overwrite: OverwriteOption = False,
    json_output: JsonOption = False,
) -> None:
    """Draw a synthetic market from a seed: one file for each instrument on each venue."""
    from ..data import presets
    from ..data.dataset import write_dataset
    from ..data.durations import parse_interval
    from ..data.generate import generate_market
    from ..data.instants import read_instant

    if preset is not None:
        if preset != "embedded":
            raise UsageError(f"--preset: {unknown_name('preset', preset, ['embedded'])}")
        datasets = presets.embedded_datasets()
    else:
        spec = presets.custom_spec(
            seed=seed,
            symbols=_words("--symbols", symbols),
            venues=_words("--venues", venues),
            start=read_instant("--start", start),
            end=read_instant("--end", end),
            interval_seconds=parse_interval(interval),
        )
        datasets = {presets.file_name(dataset): dataset for dataset in generate_market(spec).values()}
    paths = {name: output / name for name in datasets}
    readme = output / "README.md"
    for path in (*paths.values(), *([readme] if preset else [])):
        refuse_existing(path, overwrite=overwrite)
    written = {name: write_dataset(dataset.frame, dataset.info, paths[name]) for name, dataset in datasets.items()}
    if preset is not None:
        readme.write_text(presets.embedded_readme(written), encoding="utf-8")
    if json_output:
        files = [{"output": str(paths[name]), "dataset": _facts(made)} for name, made in written.items()]
        _print_json({"files": files})
        return
    for name, made in written.items():
        _say_written(paths[name], made)


@app.command()
def resample(
    file: Annotated[Path, typer.Argument(help="A dataset.")],
    interval: Annotated[str, typer.Option(help="Length of the longer bars, a multiple of the dataset's.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File or folder; by default beside the dataset.")
    ] = None,
    keep_partial: Annotated[
        bool, typer.Option("--keep-partial", help="Keep a first or last bar that is covered in part only.")
    ] = False,
    overwrite: OverwriteOption = False,
    json_output: JsonOption = False,
) -> None:
    """Join bars into longer ones; gaps stay gaps."""
    from ..data.dataset import read_dataset, write_dataset
    from ..data.durations import parse_interval
    from ..data.resample import resample as join

    resampled = join(read_dataset(file), parse_interval(interval), keep_partial=keep_partial)
    path = _output_path(output, resampled.dataset, _folder_of(file))
    refuse_existing(path, overwrite=overwrite)
    written = write_dataset(resampled.dataset.frame, resampled.dataset.info, path)
    if json_output:
        findings = [finding.as_json() for finding in resampled.findings]
        _print_json({"output": str(path), "dataset": _facts(written), "findings": findings})
        return
    _print_findings(resampled.findings, title=f"{file} joined to {interval}")
    _say_written(path, written)


@app.command()
def info(
    file: Annotated[Path, typer.Argument(help="A dataset, or a SQLite cache.")],
    json_output: JsonOption = False,
) -> None:
    """Say what a dataset holds: names, span, gaps, price range, digest; of a SQLite cache, its datasets."""
    from dataclasses import asdict

    from ..data.cache_path import CachePath, cache_path
    from ..data.info import summarise

    if cache_path(file) == CachePath(file, ""):
        _cache_info(file, json_output=json_output)
        return
    facts = asdict(summarise(file))
    if json_output:
        _print_json(facts)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=str(file), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts.items():
        table.add_row(name.replace("_", " "), _as_text(value))
    Console().print(table)


def _cache_info(file: Path, *, json_output: bool) -> None:
    from dataclasses import asdict

    from ..data.info import summarise_cache

    rows = summarise_cache(file)
    if json_output:
        document = {"file": str(file), "file_bytes": file.stat().st_size, "datasets": [asdict(row) for row in rows]}
        _print_json(document)
        return
    typer.echo(f"{file}: {len(rows)} datasets")
    for row in rows:
        typer.echo(f"{row.name}: {row.rows:,} bars, {row.first_open} to {row.last_open}, digest {row.digest[:16]}")


def _import_with_progress(files: Sequence[Path], options: ImportOptions, *, quiet: bool) -> Imported:
    """Import, with a bar on stderr where several files make one wait."""
    from ..data.importing import import_files

    if quiet or len(files) == 1:
        return import_files(files, options)
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("importing", total=len(files))
        return import_files(files, options, progress=lambda _: progress.advance(task))


def _column_mapping(pairs: Iterable[str]) -> dict[str, str] | None:
    columns = {}
    for pair in pairs:
        field, equals, title = pair.partition("=")
        if not equals or not title.strip():
            raise UsageError(f"--column {pair!r}: write FIELD=NAME, such as close=Last.")
        columns[field.strip().lower()] = title.strip()
    return columns or None


def _words(option: str, text: str) -> list[str]:
    words = list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    if not words or any(not word.replace("-", "").isalnum() for word in words):
        raise UsageError(f"{option} {text!r}: write names of letters and digits, divided by commas.")
    return words


def _output_path(output: Path | None, dataset: Dataset, folder: Path) -> Path:
    """A file as given, or the usual name in a folder."""
    from ..data.presets import file_name

    if output is not None and output.suffix == ".parquet":
        return output
    return (output or folder) / file_name(dataset)


def _folder_of(file: Path) -> Path:
    """The folder that a dataset lies in, itself or the SQLite cache that holds it."""
    from ..data.cache_path import cache_path

    place = cache_path(file)
    return (file if place is None else place.file).parent


def _facts(dataset: Dataset) -> dict[str, Any]:
    from dataclasses import asdict

    from ..data.findings import iso_times

    times_us = dataset.frame["timestamp"].to_physical().to_numpy()
    first, last = iso_times(times_us[[0, -1]])
    return {**asdict(dataset.info), "rows": dataset.frame.height, "first_open": first, "last_open": last}


def _print_json(document: dict[str, Any]) -> None:
    typer.echo(json.dumps(document, indent=2))


def _print_findings(findings: Sequence[Finding], *, title: str) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    if not findings:
        console.print(f"{escape(title)}: nothing found", highlight=False)
        return
    colours = {"error": "red", "warning": "yellow", "info": "dim"}
    table = Table("severity", "code", "what", title=escape(title), title_justify="left")
    for finding in findings:
        severity = f"[{colours[finding.severity]}]{finding.severity}[/]"
        table.add_row(severity, finding.code, escape(finding.text))
    console.print(table)


def _say_written(path: Path, dataset: Dataset) -> None:
    facts = _facts(dataset)
    typer.echo(
        f"wrote {path}: {facts['rows']:,} bars, {facts['first_open']} to {facts['last_open']}, "
        f"digest {dataset.digest[:16]}"
    )


def _as_text(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, tuple):
        return "\n".join(str(item) for item in value) or "none"
    return "none" if value is None else str(value)
