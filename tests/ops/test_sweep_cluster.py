"""Sweeps on a Dask cluster: a real scheduler with workers, which are killed on the way."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import barstep as bs
import dask
import numpy as np
import polars as pl
import pytest
from barstep.cli.app import main
from barstep.data.dataset import DatasetInfo, write_dataset
from barstep.engine.bars import Bars
from barstep.engine.sweep.plan import plan_sweep
from barstep.engine.sweep.running import run_sweep
from barstep.errors import UnreachableError, UsageError
from barstep.ops import sweep_cluster, sweep_engine_recipe
from barstep.ops.cluster import open_cluster
from barstep.ops.sweep_cluster import ClusterRun
from dask_processes import DaskProcesses, dask_processes

SEEDS = int(os.environ.get("SEEDS", "1"))
ROOT = Path(__file__).resolve().parents[2]
AXES = {"lookback": range(10, 210), "entry_zscore": [0.8, 1.2, 1.6]}


def a_walk(bars: int, seed: int, symbol: str = "X") -> Bars:
    """A random walk of hours."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.standard_normal(bars) * 0.01))
    opens = np.concatenate((close[:1], close[:-1]))
    times = np.arange(bars) * 3_600_000_000
    return Bars.from_arrays(
        times, opens, np.maximum(opens, close), np.minimum(opens, close), close, interval_seconds=3600, symbol=symbol
    )


WALKS = [a_walk(6000, 1, "A"), a_walk(9000, 2, "B")]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskProcesses]:
    """A scheduler and two workers."""
    with dask_processes(tmp_path_factory.mktemp("dask")) as processes:
        yield processes


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the same sweep on this machine."""
    folder = tmp_path_factory.mktemp("here") / "sweep"
    bs.sweep(WALKS, "mean_reversion", AXES, slices=3, folder=folder)
    return folder


def on(address: str, folder: Path, told: Callable[[int, int], None] | None = None, **more: Any) -> None:
    """The sweep on a cluster, in a folder."""
    bs.sweep(WALKS, "mean_reversion", AXES, slices=3, folder=folder, cluster=address, progress=told, **more)


def same(one: Path, other: Path) -> bool:
    """Whether two folders have the same bytes."""
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in ("sweep.parquet", "sweep.json"))


def test_a_cluster_writes_the_bytes_of_one_machine(cluster: DaskProcesses, here: Path, tmp_path: Path) -> None:
    """Table and document are the same files, and all that is done is told."""
    told: list[tuple[int, int]] = []
    on(cluster.address, tmp_path / "sweep", lambda done, whole: told.append((done, whole)))
    assert same(tmp_path / "sweep", here)
    assert told == sorted(told) and len(told) > 4, "rows come in several batches"
    assert told[-1] == (600 * 15_000, 600 * 15_000)


@pytest.mark.parametrize("victims", [1, 2, 1, 2][:SEEDS])
def test_a_killed_worker_costs_nothing_but_time(
    cluster: DaskProcesses, here: Path, tmp_path: Path, victims: int
) -> None:
    """Workers are killed while they run rows: those are done again, with both also the bars they kept: same bytes."""
    killed: list[int] = []

    def kill(done: int, whole: int) -> None:
        if not killed:
            killed.extend(cluster.worker_pids(2)[:victims])
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    on(cluster.address, tmp_path / "sweep", kill)
    assert same(tmp_path / "sweep", here)
    assert len(killed) == victims and not set(killed) & set(cluster.worker_pids())


def test_bars_are_found_in_a_shared_folder(
    cluster: DaskProcesses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Datasets that workers find by digest are not sent; those that lie nowhere are, and parts of longer ones."""
    for bars in WALKS[:1]:
        info = DatasetInfo(symbol="another name", venue="there", interval_seconds=3600)
        write_dataset(bars.to_frame(), info, tmp_path / "data" / "one.parquet")
    (tmp_path / "data" / "broken.parquet").write_bytes(b"no dataset")
    sent: list[bool] = []
    packed = sweep_engine_recipe.bars_data

    def watched(bars: Bars, in_folder: Any) -> Any:
        data = packed(bars, in_folder)
        sent.append(data.values is not None)
        return data

    monkeypatch.setattr(sweep_engine_recipe, "bars_data", watched)
    asked = ([*WALKS, WALKS[1].part(5, 500)], "mean_reversion", {"lookback": [20, 30]})
    result = bs.sweep(*asked, cluster=cluster.address, cluster_data=tmp_path / "data")
    assert result.table.equals(bs.sweep(*asked).table)
    assert sent == [False, True, True]


def test_funding_and_two_venues_travel(cluster: DaskProcesses) -> None:
    """Everything that a row depends on reaches the worker."""
    rates = pl.DataFrame({"timestamp": WALKS[0].ts_us[8::8], "rate": np.full(749, 1e-4)})
    funded = (WALKS, "mean_reversion", {"lookback": [20, 30], "allow_short": [True, False]})
    other = a_walk(6000, 1, "A")
    pair = (WALKS[0], "cross_exchange_arbitrage", {"spread_entry": [0.01, 0.02]})
    given: list[tuple[Any, dict[str, Any]]] = [
        (funded, {"funding": [rates, None], "fee_bps": 3}),
        (pair, {"secondary": other}),
    ]
    for asked, more in given:
        there = bs.sweep(*asked, **more, cluster=cluster.address)
        assert there.table.equals(bs.sweep(*asked, **more).table)


def test_an_engine_file_is_run_on_the_workers(cluster: DaskProcesses) -> None:
    """The file travels as text; its engine gives the bits that it gives here."""
    catalog = bs.DEFAULT_STRATEGY_CATALOG.with_file(ROOT / "docs" / "examples" / "donchian.py")
    asked = (WALKS, "donchian", {"window": range(10, 40)})
    there = bs.sweep(*asked, catalog=catalog, cluster=cluster.address)
    assert there.table.equals(bs.sweep(*asked, catalog=catalog).table)


def test_a_scheduler_is_swept(cluster: DaskProcesses) -> None:
    """The rows of a scheduler's sweep are those of this machine."""
    asked = (ROOT / "config" / "core.yaml", "core_multi", {"mean_reversion.lookback": [48, 96]})
    more = {"start": "2023-03-01", "end": "2023-03-15", "metrics": ["total_return_pct", "sharpe"]}
    there = bs.sweep_scheduler(*asked, **more, cluster=cluster.address)
    assert there.table.equals(bs.sweep_scheduler(*asked, **more).table)


def test_the_command(cluster: DaskProcesses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--cluster` writes what the command writes without it; in the place of `--threads`."""
    info = DatasetInfo(symbol="A", venue="v", interval_seconds=3600)
    write_dataset(WALKS[0].to_frame(), info, tmp_path / "a.parquet")
    command = ["barstep", "sweep", "mean_reversion", str(tmp_path / "a.parquet"), "--axis", "lookback=20,30,40"]
    for name, more in (("here", []), ("there", ["--cluster", cluster.address, "--cluster-data", str(tmp_path)])):
        monkeypatch.setattr(sys, "argv", [*command, "--output", str(tmp_path / name), *more])
        assert main() == 0
    assert same(tmp_path / "there", tmp_path / "here")
    monkeypatch.setattr(sys, "argv", [*command, "--cluster", cluster.address, "--threads", "2"])
    assert main() == 2


def test_other_software_is_refused(cluster: DaskProcesses, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker whose kernels differ is named with what differs, at the start and where it comes later."""
    real = sweep_engine_recipe.software()
    monkeypatch.setattr(sweep_engine_recipe, "software", lambda: {**real, "kernels": "f" * 32})
    for asks_first in (True, False):
        if not asks_first:
            monkeypatch.setattr(ClusterRun, "_refuse_others", lambda *_: None)
        with pytest.raises(UsageError, match=r"worker tcp://127\.0\.0\.1:\d+ has kernels \w{12} instead of f{12};"):
            bs.sweep(WALKS, "mean_reversion", {"lookback": [20]}, cluster=cluster.address)


def test_an_engine_of_this_process_is_refused(cluster: DaskProcesses) -> None:
    """What no other process could find is told before anything is sent."""
    engine = bs.DEFAULT_STRATEGY_CATALOG["mean_reversion"]
    own = replace(engine, name="own")
    with pytest.raises(UsageError, match="own is in this process alone; other processes need it in a file"):
        bs.sweep(WALKS, own, {"lookback": [20]}, cluster=cluster.address)


def test_an_error_of_a_row_is_told_as_it_is(cluster: DaskProcesses, tmp_path: Path) -> None:
    """What a worker refuses is not done again and again: it is the error here, in one line."""
    with open_cluster(cluster.address) as client:
        run = ClusterRun(client, cluster.address)
        plan = plan_sweep(WALKS[0], "mean_reversion", {"lookback": [20]})
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sweep_cluster, "digests_to_find", lambda _: [])
            patch.setattr(ClusterRun, "_found", lambda *_: {WALKS[0].content_digest: str(tmp_path)})
            with pytest.raises(bs.DataError, match=r"no dataset of unknown A with the digest \w{16}… on this worker"):
                run_sweep(plan, run=run)


@pytest.mark.parametrize("address", ["127.0.0.1:8786", "http://127.0.0.1:8786", "local:", "local:two", "tcp://here"])
def test_what_is_no_address_is_refused(address: str) -> None:
    """An address has its protocol and its port."""
    with pytest.raises(UsageError, match="allowed is tcp://host:port, tls://host:port, or local:N"):
        bs.sweep(WALKS, "mean_reversion", {"lookback": [20]}, cluster=address)


def test_no_scheduler_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody answers: that is said, and no folder is made."""
    monkeypatch.setattr("barstep.ops.cluster.CONNECT_SECONDS", 0.5)
    with pytest.raises(UnreachableError, match=r"tcp://127\.0\.0\.1:9: no Dask scheduler answers") as raised:
        on("tcp://127.0.0.1:9", tmp_path / "sweep")
    assert raised.value.exit_code == 6
    assert not (tmp_path / "sweep").exists()


def test_tls_wants_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Dask's configuration lacks, or names in vain, is told before anything is connected."""
    asked = (WALKS, "mean_reversion", {"lookback": [20]})
    with pytest.raises(UsageError, match="no certificates; name them in Dask's configuration"):
        bs.sweep(*asked, cluster="tls://127.0.0.1:9")
    named = {"distributed.comm.tls.ca-file": "/there/is/none.pem", "distributed.comm.tls.client.cert": "x"}
    refused = pytest.raises(UsageError, match=r"the certificates cannot be read \(FileNotFoundError")
    with dask.config.set(named), refused:
        bs.sweep(*asked, cluster="tls://127.0.0.1:9")


def test_options_that_contradict_each_other() -> None:
    """Threads are this process's, and a folder for workers wants workers."""
    with pytest.raises(UsageError, match="threads are those of this process"):
        bs.sweep(WALKS, "mean_reversion", {"lookback": [20]}, cluster="local:1", threads=2)
    with pytest.raises(UsageError, match="cluster_data is where a cluster's workers find bars"):
        bs.sweep(WALKS, "mean_reversion", {"lookback": [20]}, cluster_data="x")
    with pytest.raises(UsageError, match="allowed is local:1 to local:256"):
        bs.sweep(WALKS, "mean_reversion", {"lookback": [20]}, cluster="local:0")


def test_the_scheduler_is_killed(cluster: DaskProcesses, here: Path, tmp_path: Path) -> None:
    """Rows that came are kept; the rest are done on processes of this machine, and the bytes are the same.

    The last test, since it leaves no cluster behind.
    """

    def kill(done: int, whole: int) -> None:
        cluster.scheduler.kill()
        cluster.scheduler.wait()

    folder = tmp_path / "sweep"
    with pytest.raises(UnreachableError, match=r"the scheduler is gone; .* --resume goes on"):
        on(cluster.address, folder, kill)
    assert list((folder / "parts").glob("*.parquet")) and not (folder / "sweep.parquet").exists()
    on("local:2", folder, resume=True)
    assert same(folder, here)
