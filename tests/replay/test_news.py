"""What is new in a scheduler's tables."""

from __future__ import annotations

import numpy as np
import pytest
from barstep.engine.scheduler.machine import SchedulerMachine
from barstep.kernels.scheduler import layout
from barstep.replay.event_loop import EventLoop
from barstep.replay.news import News, due_runs
from barstep.replay.session import given
from replays import drawn_setup


def test_all_news_together_are_the_tables() -> None:
    """Read after each instant, whether or not a table was taken over in between, also amid an instant."""
    setup = drawn_setup(5)
    machine = SchedulerMachine(setup)
    loop, news = EventLoop(machine, given(setup), block_bars=7), News(machine)
    heard: dict[str, list[list[float]]] = {"decisions": [], "fills": [], "refreshes": [], "events": []}
    rng = np.random.default_rng(1)
    while loop.step():
        if rng.random() < 0.3:
            machine.tables.flush()
        rows = news.rows()
        for name, found in heard.items():
            found.extend(getattr(rows, name))
    machine.tables.flush()
    assert news.rows().decisions == []
    for name, rows in heard.items():
        if rows:
            np.testing.assert_array_equal(np.array(rows).T, machine.tables.whole(name), err_msg=name)
        else:
            assert machine.tables.whole(name).shape[1] == 0


def test_a_late_listener_hears_only_what_comes() -> None:
    """Unless it asks for what the state told at the genesis."""
    setup = drawn_setup(5)
    machine = SchedulerMachine(setup)
    loop = EventLoop(machine, given(setup), block_bars=7)
    for _ in range(60):
        loop.step()
    late = News(machine)
    assert late.rows().decisions == []
    assert list(late.notes()) == []
    told = list(News(machine, since_genesis=True).notes())
    assert told == machine.tables.notes


def test_the_runs_of_an_instant_are_those_that_were_due() -> None:
    """In declared order, each with the decisions that are its own."""
    setup = drawn_setup(3)
    machine = SchedulerMachine(setup, observed=True)
    loop, news = EventLoop(machine, given(setup), block_bars=7), News(machine)
    cadences = [round(one.schedule.cadence_seconds * 1e6) for one in setup.resolved]
    seen = 0
    while loop.step():
        rows = news.rows()
        runs = list(due_runs(machine, rows))
        due = [s for s in setup.order.tolist() if loop.now_us % cadences[s] == 0]
        assert [run.schedule for run in runs] == due
        assert [row for run in runs for row in run.decisions] == rows.decisions
        seen += len(rows.decisions)
    assert seen > 0


def test_rows_that_were_given_up_are_not_told() -> None:
    """Fewer rows than were asked for would be taken for all of them."""
    machine = SchedulerMachine(drawn_setup(5))
    tables, account = machine.tables, machine.arrays.account
    tables.decisions[:], tables.keeps = 0.0, False
    account[layout.DECISIONS] = 10
    tables.flush()
    for _ in range(2):
        account[layout.DECISIONS] = tables.decisions.shape[1] // 2 + 1
        tables.make_room()
    end = tables.counts()[0]
    with pytest.raises(IndexError, match="row 9 of decisions was given up"):
        tables.rows("decisions", 9, end)
    assert len(tables.rows("decisions", 10, end)) == end - 10


def test_a_full_table_makes_room_alone() -> None:
    """The others stay where they are until they are half full, too."""
    machine = SchedulerMachine(drawn_setup(5))
    tables, account = machine.tables, machine.arrays.account
    tables.decisions[:] = 0.0
    account[layout.REFRESHES], account[layout.DECISIONS] = 3, tables.decisions.shape[1] // 2 + 1
    tables.make_room()
    assert (account[layout.REFRESHES], account[layout.DECISIONS]) == (3, 0)
    assert tables.counts() == [tables.decisions.shape[1] // 2 + 1, 0, 3, 0]


def test_a_listener_of_instants_sees_what_was_forgotten_since() -> None:
    """Fills that come between two instants may be given up before anybody but the journal is told of them."""
    machine = SchedulerMachine(drawn_setup(5))
    news, tables, account = News(machine), machine.tables, machine.arrays.account
    half, tables.keeps = tables.fills.shape[1] // 2 + 1, False
    for number in range(3):
        written = int(account[layout.WRITTEN])
        tables.fills[:, written:half] = number
        account[layout.WRITTEN] = half
        tables.make_room()
        tables.fills[:, 0], account[layout.WRITTEN] = number + 0.5, 1.0
        assert [row[0] for row in news.rows().fills] == [float(number)] * (half - written) + [number + 0.5]


def test_a_checkpoint_gives_up_nothing_that_a_listener_has_not_seen() -> None:
    """Fills between two instants, each followed by one: both take over what is there."""
    machine = SchedulerMachine(drawn_setup(5))
    news, tables, account = News(machine), machine.tables, machine.arrays.account
    tables.keeps = False
    for number in range(2):
        tables.fills[:, 0], account[layout.WRITTEN] = number, 1.0
        tables.flush()
    assert [row[0] for row in news.rows().fills] == [0.0, 1.0]
