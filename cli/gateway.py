"""`barstep gateway`: a real exchange behind the channel."""

# ruff: noqa: PLC0415 - imported when the command runs, see `cli.app`

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import AuthorizationError, UsageError

if TYPE_CHECKING:
    from ..replay.channel.addresses import Address
    from ..replay.channel.identity import Identity
    from ..replay.clock import Clock

_MARKETS = ["BTCUSDT"]
_ADAPTER_VARIABLE = "BARSTEP_ADAPTER_TOKEN"


def gateway_command(
    exchange: Annotated[str, typer.Option(help="Which exchange, as ccxt calls it.")],
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Its sandbox: play money.")] = False,
    live: Annotated[bool, typer.Option("--live", help="The exchange itself: real money.")] = False,
    address: Annotated[
        str | None, typer.Option(help="Where loops connect, such as grpc+tls://0.0.0.0:8815 or grpc://127.0.0.1:8815.")
    ] = None,
    mtls_bundle: Annotated[
        str | None, typer.Option(help="Bundle of certificates for that address; needed with grpc+tls.")
    ] = None,
    mtls_folder: Annotated[Path, typer.Option(help="Folder of bundles.")] = Path("secrets/mtls"),
    token_env: Annotated[
        str, typer.Option(help="The environment variable that holds the token which loops present.")
    ] = _ADAPTER_VARIABLE,
    token_file: Annotated[
        Path | None, typer.Option(help="A private file that holds it. [the environment variable]")
    ] = None,
    credentials: Annotated[
        Path | None,
        typer.Option(
            help="A private file with the account's key and secret. [BARSTEP_EXCHANGE_KEY, BARSTEP_EXCHANGE_SECRET]"
        ),
    ] = None,
    state_folder: Annotated[Path, typer.Option(help="Where it keeps what became of orders.")] = Path("var/gateway"),
    log_folder: Annotated[Path, typer.Option(help="Where its log is.")] = Path("logs/adapters"),
    base_url: Annotated[
        str | None, typer.Option(help="In the exchange's place an address on this machine, to try the gateway with.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Show time, markets, limits and balances, and exit; nothing is traded.")
    ] = False,
    market: Annotated[
        list[str] | None, typer.Option(help="A market that --check shows; may be given often. [BTCUSDT]")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="With --check: one JSON document.")] = False,
) -> None:
    """Serve loops with the bars of a real exchange, and place their orders there; until SIGTERM or SIGINT."""
    if sandbox == live:
        raise UsageError("say which: --sandbox for the exchange's play money, --live for real money.")
    from ..replay.clock import SystemClock
    from ..replay.gateway.ccxt_exchange import CcxtExchange
    from ..replay.gateway.credentials import KEY_VARIABLE, SECRET_VARIABLE, read_credentials
    from ..replay.gateway.venues import venue_named

    clock = SystemClock()
    found = read_credentials(os.environ, credentials)
    if not check and found is None:
        raise AuthorizationError(
            f"orders need the account's key and secret: set {KEY_VARIABLE} and {SECRET_VARIABLE}, or give "
            "--credentials FILE. --check does without."
        )
    listening = None if check else _listening(address, mtls_bundle, mtls_folder, clock)
    token = "" if check else _token(token_env, token_file)
    opened = CcxtExchange(
        venue_named(exchange), clock, credentials=found, sandbox=sandbox, base_url=_loopback(base_url)
    )
    opened.open()
    if listening is None:
        from ..replay.gateway.checking import look_at

        _print(look_at(opened, clock, market or _MARKETS, with_balances=found is not None), json_output=json_output)
        return
    import numpy as np

    from ..replay.adapter_log import AdapterLog
    from ..replay.gateway.running import run_gateway
    from ..replay.keys import random_bytes
    from .interruption import interruptible

    with interruptible() as signals:
        signals.wait_for_them()
        has_ended = run_gateway(
            opened,
            clock,
            address=listening[0],
            identity=listening[1],
            token=token,
            folder=state_folder / (f"{exchange}-sandbox" if sandbox else exchange),
            log=AdapterLog(log_folder / f"{exchange}.log", clock, say=lambda line: typer.echo(line, err=True)),
            generator=np.random.default_rng(int.from_bytes(random_bytes(8), "big")),
            should_stop=signals.have_come,
        )
        code = signals.exit_code
    if not has_ended:
        os._exit(code)  # a request is under way, and the interpreter would wait for it
    raise typer.Exit(code)


def _listening(text: str | None, bundle: str | None, folder: Path, clock: Clock) -> tuple[Address, Identity | None]:
    """Where it listens, and what it shows there."""
    from ..replay.certificates import load_identity
    from ..replay.channel.addresses import parse_address

    if text is None:
        raise UsageError("--address is missing: where loops connect, such as grpc://127.0.0.1:8815 on this machine.")
    address = parse_address(text)
    if address.is_tls != (bundle is not None):
        raise UsageError(f"--address {text!r}: grpc+tls goes with --mtls-bundle NAME, and grpc without one.")
    return address, None if bundle is None else load_identity(folder, bundle, "server", now_us=clock.now_us())


def _token(variable: str, path: Path | None) -> str:
    """The token that loops present."""
    from ..replay.authorization import read_token

    token = read_token(path) if path is not None else os.environ.get(variable, "").strip()
    if not token:
        raise AuthorizationError(f"no token for loops to present: set {variable}, or give --token-file FILE.")
    return token


def _loopback(url: str | None) -> str | None:
    """An address on this machine: signed requests go nowhere else but to the exchange."""
    from urllib.parse import urlsplit

    from ..replay.channel.addresses import is_loopback

    if url is None:
        return None
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not is_loopback(parts.hostname or "") or parts.path.strip("/"):
        raise UsageError(f"--base-url {url!r}: allowed is an address on this machine, such as http://127.0.0.1:8080.")
    return url


def _print(document: dict[str, Any], *, json_output: bool) -> None:
    if json_output:
        typer.echo(json.dumps(document, indent=2))
        return
    from .console import print_columns

    typer.echo(
        f"{document['exchange']}: {document['server_time']} there, known to {document['unsure_ms']:.1f} ms; the clock "
        f"here is {abs(document['wall_clock_ahead_ms']):,.0f} ms "
        f"{'ahead' if document['wall_clock_ahead_ms'] > 0 else 'behind'}; weight used: {document['used_weight']}"
    )
    heads = ("market", "quote", "step", "tick", "least", "most", "minimum_notional", "last_closed_minute", "close")
    rows = [[str(found[head] or "-") for head in heads] for found in document["markets"]]
    print_columns([[head.replace("_", " ") for head in heads], *rows], numbers_from=2)
    if document["balances"] is None:
        typer.echo("balances: no key was given")
        return
    coins = [(held["coin"], held["free"], held["bound"]) for held in document["balances"]]
    print_columns([("coin", "free", "bound"), *coins], numbers_from=1)
