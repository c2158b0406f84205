"""A Dask cluster to work on: one that runs already, or some processes of this machine.

Dask's own wire carries what is sent, as pickles: whoever can reach a scheduler can run code on its workers. A cluster
beyond one machine wants `tls://` and certificates, which Dask's configuration names.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

from distributed import Client, LocalCluster
from distributed.security import Security

from ..errors import UnreachableError, UsageError, in_one_line

CONNECT_SECONDS = 15
"""How long a scheduler has to answer."""

WORKERS_SECONDS = 60
"""How long a cluster may be without any worker."""

_LOOK_SECONDS = 0.2
"""Between two looks at whether the connection is there."""

_ADDRESS = re.compile(r"(?:tcp|tls)://(?:\[[0-9a-fA-F:]+\]|[^\s:/\[\]]+):[0-9]{1,5}")
_LOCAL = re.compile(r"local:([0-9]+)")
_MOST_PROCESSES = 256


@contextmanager
def open_cluster(address: str) -> Iterator[Client]:
    """Give a client of a cluster that has a worker; at the end it is closed, and processes of ours are ended.

    Args:
        address: `tcp://host:port` or `tls://host:port` of a scheduler that runs, or `local:N` for N processes here.

    Raises:
        UsageError: The address is none, or there are no certificates for TLS.
        UnreachableError: No scheduler answers, or it has no worker.
    """
    local = _LOCAL.fullmatch(address)
    if local is None and _ADDRESS.fullmatch(address) is None:
        raise UsageError(f"cluster is {address!r}; allowed is tcp://host:port, tls://host:port, or local:N")
    if address.startswith("tls:"):
        _refuse_missing_certificates(address)
    with _silent():
        if local is None:
            with _connected(address, address) as client:
                yield client
        else:
            with _processes(int(local[1])) as cluster, _connected(cluster, address) as client:
                yield client


def _refuse_missing_certificates(address: str) -> None:
    try:
        found = Security().get_connection_args("client").get("ssl_context")
    except OSError as error:  # a fault of what a certificate holds is one, too
        raise UsageError(f"{address}: the certificates cannot be read ({in_one_line(error)})") from error
    if found is None:
        raise UsageError(
            f"{address}: no certificates; name them in Dask's configuration, distributed.comm.tls: ca-file, "
            "client.cert and client.key (docs/cluster.md)"
        )


@contextmanager
def _processes(count: int) -> Iterator[LocalCluster]:
    if not 1 <= count <= _MOST_PROCESSES:
        raise UsageError(f"cluster is local:{count}; allowed is local:1 to local:{_MOST_PROCESSES}")
    try:
        cluster = LocalCluster(
            n_workers=count, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None,
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # its health page; else on a port that may be taken
            silence_logs=logging.CRITICAL,
        )  # fmt: skip
    except (OSError, RuntimeError, TimeoutError) as error:
        raise UnreachableError(
            f"local:{count}: the processes do not start ({in_one_line(error)}); in a script, call this under "
            'if __name__ == "__main__": each process imports the script anew'
        ) from error
    with cluster:
        yield cluster


@contextmanager
def _connected(to: str | LocalCluster, address: str) -> Iterator[Client]:
    try:
        client = Client(to, timeout=CONNECT_SECONDS, set_as_default=False, name="barstep")
    except (OSError, TimeoutError, ValueError, TypeError) as error:  # a fault of TLS is any of them
        raise UnreachableError(f"{address}: no Dask scheduler answers ({in_one_line(error)})") from error
    try:
        try:
            client.wait_for_workers(1, timeout=WORKERS_SECONDS)
        except TimeoutError as error:
            raise UnreachableError(f"{address}: the scheduler has no worker after {WORKERS_SECONDS} s") from error
        yield client
    finally:
        client.close(timeout=2)


@contextmanager
def _silent() -> Iterator[None]:
    """Dask tells of lost connections by log; here they are errors of one line."""
    names = [name for name in logging.root.manager.loggerDict if name.startswith(("distributed", "tornado"))]
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def slots_of(client: Client) -> int:
    """How many tasks run side by side: the threads of all workers that are there now.

    Raises:
        OSError: The connection is lost: what was asked for is cancelled, so that there is nothing to wait for.
    """
    threads: dict[str, int] = client.sync(_threads_of, client)
    return sum(threads.values())


async def _threads_of(client: Client) -> dict[str, int]:
    scheduler = client.scheduler
    if scheduler is None:
        raise ConnectionError("the connection is closed")
    asked = asyncio.ensure_future(scheduler.ncores())
    while not asked.done():
        if client.status != "running":
            asked.cancel()
            raise ConnectionError("the connection is lost")
        await asyncio.wait({asked}, timeout=_LOOK_SECONDS)
    found: dict[str, int] = asked.result()
    return found
