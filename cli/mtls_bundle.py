"""The parts of `barstep keys` that make, rotate and show a bundle of certificates for mTLS."""

# ruff: noqa: PLC0415 - imported when a command runs, see `cli.app`

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UsageError

if TYPE_CHECKING:
    from ..replay.certificate_report import BundleReport, CertificateReport

_BUNDLES = Path("secrets/mtls")
BundleOption = Annotated[
    str | None,
    typer.Option("--mtls-bundle", help="A bundle of certificates in secrets/mtls, in place of signing keys."),
]
HostOption = Annotated[
    str | None, typer.Option("--host", help="The server's one name: what clients connect to. [localhost; as it was]")
]
ClientOption = Annotated[str | None, typer.Option("--client", help="The client's name. [the bundle's; as it was]")]
DaysOption = Annotated[
    int | None, typer.Option("--days", min=1, max=825, help="How long server's and client's are valid. [90]")
]
AuthorityOption = Annotated[
    bool, typer.Option("--authority", help="Make a new authority, too; the present one stays trusted for now.")
]
AuthorityKeyOption = Annotated[
    Path | None, typer.Option("--authority-key", help="Key of the authority, where it was taken off. [its ca.key]")
]
FinishOption = Annotated[bool, typer.Option("--finish", help="Trust the previous authority no more.")]


def require_one(
    environment: str | None, bundle: str | None, of_bundle: Mapping[str, object], of_keys: Mapping[str, object]
) -> None:
    """Raise UsageError unless one of both is named, with no option of the other."""
    if (environment is None) == (bundle is None):
        raise UsageError("name either --environment (its signing keys) or --mtls-bundle (its certificates).")
    named, others = ("--mtls-bundle", of_keys) if environment is None else ("--environment", of_bundle)
    refuse_others(named, others)


def refuse_others(named: str, others: Mapping[str, object]) -> None:
    """Raise UsageError where an option was given that does not go with another one."""
    for option, value in others.items():
        if value:
            raise UsageError(f"{option} does not go with {named}; leave one of them out.")


def init(bundle: str, host: str | None, client: str | None, days: int | None) -> None:
    """Make a bundle."""
    from ..replay.certificate_files import BundleFolder
    from ..replay.certificates import init_bundle
    from ..replay.clock import SystemClock
    from ..replay.issuing import LEAF_DAYS

    files, now_us = BundleFolder(_BUNDLES, bundle), SystemClock().now_us()
    init_bundle(files, host=host or "localhost", client=client or bundle, days=days or LEAF_DAYS, now_us=now_us)


def rotate(
    bundle: str,
    host: str | None,
    client: str | None,
    days: int | None,
    *,
    with_authority: bool,
    authority_key: Path | None,
) -> None:
    """Make the certificates of server and client anew; under a new authority with `with_authority`."""
    from ..replay.certificate_files import BundleFolder
    from ..replay.certificates import rotate_bundle
    from ..replay.clock import SystemClock
    from ..replay.issuing import LEAF_DAYS

    rotate_bundle(
        BundleFolder(_BUNDLES, bundle),
        host=host,
        client=client,
        days=days or LEAF_DAYS,
        with_authority=with_authority,
        authority_key=authority_key,
        now_us=SystemClock().now_us(),
    )


def finish(bundle: str) -> None:
    """End the overlap of two authorities."""
    from ..replay.certificate_files import BundleFolder
    from ..replay.certificates import finish_overlap

    finish_overlap(BundleFolder(_BUNDLES, bundle))


def show(bundle: str, *, json_output: bool) -> None:
    """Print what is in a bundle; exit with 1 where something is wrong."""
    from ..replay.certificate_report import describe_bundle
    from ..replay.clock import SystemClock

    report = describe_bundle(_BUNDLES, bundle, now_us=SystemClock().now_us())
    if json_output:
        typer.echo(json.dumps({"mtls_bundle": report.to_dict()}, indent=2))
    else:
        _print(report)
    if not report.is_good:
        raise typer.Exit(1)


def _print(report: BundleReport) -> None:
    from .console import print_columns

    typer.echo(f"{report.bundle}: {report.folder}")
    print_columns([("", "name", "mode", "key", "ends", "days left"), *map(_row, report.certificates)], numbers_from=5)
    for fault in report.faults:
        typer.echo(f"wrong: {fault}")
    if report.is_overlapping:
        typer.echo(
            "Two authorities are trusted. When every server and client has new certificates and was started again:\n"
            f"`barstep keys rotate --mtls-bundle {report.bundle} --finish`."
        )
    if report.authority_key_is_here:
        typer.echo(
            f"Take {report.folder}/ca.key off this machine and keep it: who has it can make a certificate for anybody."
        )
    else:
        typer.echo("The authority's key is not on this machine, as it should be.")


def _row(one: CertificateReport) -> tuple[str, ...]:
    from ..config.durations import instant_at

    ends = "" if one.ends_us is None else f"{instant_at(one.ends_us):%Y-%m-%d %H:%M}"
    days = "" if one.days_left is None else f"{one.days_left:.1f}"
    return one.role, one.name, one.mode, one.key_mode or "-", ends, days
