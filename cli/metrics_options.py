"""What the commands that can show metrics are asked for: the port, and who may read there."""

# ruff: noqa: PLC0415 - imported when a command runs, see `cli.app`

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UsageError

if TYPE_CHECKING:
    from ..replay.metrics.collector import MetricsCollector

LOOPBACK = "127.0.0.1"

PortOption = Annotated[
    int | None,
    typer.Option("--metrics-port", min=0, max=65_535, help="Show metrics for Prometheus there; 0: at a free port."),
]
AddressOption = Annotated[
    str | None,
    typer.Option("--metrics-address", help="Where that is; another than this machine's asks for one of the next two."
                 f" [{LOOPBACK}]"),
]  # fmt: skip
BundleOption = Annotated[
    str | None,
    typer.Option("--metrics-mtls-bundle", metavar="NAME", help="Both ends show certificates of secrets/mtls/NAME."),
]
TokenFileOption = Annotated[
    Path | None, typer.Option("--metrics-token-file", help="Ask for the bearer token that this private file holds.")
]


@dataclass(frozen=True, kw_only=True)
class MetricsOptions:
    """As they were typed.

    Attributes:
        port: Where metrics are shown; None: nowhere, and nothing is counted.
        address: At which address; None: this machine's own.
        bundle: Whose certificates are shown; None: nobody's.
        token_file: What holds the token that is asked for; None: none is.
    """

    port: int | None = None
    address: str | None = None
    bundle: str | None = None
    token_file: Path | None = None

    @contextmanager
    def shown(self) -> Iterator[MetricsCollector | None]:
        """Show metrics while the context is open, and say where; give None where none are wanted.

        Raises:
            UsageError: Options are given that need a port, or it cannot be listened there.
            DataError, JournalError: A certificate or the token is not what it should be.
        """
        if self.port is None:
            others = {"--metrics-address": self.address, "--metrics-mtls-bundle": self.bundle,
                      "--metrics-token-file": self.token_file}  # fmt: skip
            for name, value in others.items():
                if value is not None:
                    raise UsageError(f"{name}: needs --metrics-port; 0 takes a port that is free.")
            yield None
            return
        from ..replay.certificates import MTLS
        from ..replay.clock import SystemClock
        from ..replay.metrics.collector import MetricsCollector
        from ..replay.metrics.endpoint import Exposure, shown
        from ..replay.replaying import SECRETS

        exposure = Exposure(
            port=self.port,
            address=self.address or LOOPBACK,
            bundle=self.bundle,
            folder=SECRETS / MTLS,
            token_file=self.token_file,
        )
        metrics = MetricsCollector()
        with shown(metrics, exposure, SystemClock()) as url:
            typer.echo(f"metrics: {url}", err=True)
            yield metrics


NO_METRICS = MetricsOptions()
