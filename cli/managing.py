"""Whom a command asks: a run that is opened here, under the journal's lock, or the loop that runs already."""

# ruff: noqa: PLC0415 - imported when a command runs, see `cli.app`

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import typer

from ..errors import HeldError, UsageError, unknown_name
from .connectable import HERE
from .journal_options import TOKENS
from .settings import config_path

if TYPE_CHECKING:
    from ..config.core import CoreConfig
    from ..config.schedulers import Scheduler
    from ..config.tokens import Scope, Token
    from ..replay.authorization import Authorizer
    from ..replay.channel.identity import Identity
    from ..replay.control.desk import Desk
    from ..replay.control.opening import Opened
    from ..replay.control.reloading import Reloader
    from ..replay.issuing import Role


class Asked(Protocol):
    """What answers verbs; see `replay.control.verbs`."""

    def ask(self, verb: str, **fields: Any) -> Any:
        """What a verb gives."""


@dataclass(frozen=True, kw_only=True)
class Where:
    """Which scheduler in which environment, and who asks, as it was typed.

    Attributes:
        config: The file; None: the default one.
        environment: A name, an alias or a type.
        scheduler: One of the configuration; None: the environment's.
        token_file: A file that holds the token; None: wherever else it is.
    """

    config: Path | None
    environment: str
    scheduler: str | None
    token_file: Path | None

    @cached_property
    def path(self) -> Path:
        """The configuration's file."""
        return config_path(self.config)

    @cached_property
    def core(self) -> CoreConfig:
        """The configuration as it is written now."""
        from ..engine.configured import load_core_config

        return load_core_config(self.path)

    @cached_property
    def environment_name(self) -> str:
        """The environment's own name."""
        from ..config.environments import choose_environment

        return choose_environment(self.core.environments, self.environment)[0]

    @cached_property
    def scheduler_name(self) -> str:
        """The scheduler's name."""
        schedulers = self.core.runtime.multi_strategy_schedulers
        name = self.core.environments[self.environment_name].scheduler if self.scheduler is None else self.scheduler
        if name not in schedulers:
            raise UsageError(unknown_name("scheduler", name, schedulers))
        return name

    @property
    def is_live(self) -> bool:
        """Whether the environment trades at a venue."""
        return self.core.environments[self.environment_name].feed is None

    @property
    def configured(self) -> Scheduler:
        """The scheduler as it is written now."""
        return self.core.runtime.multi_strategy_schedulers[self.scheduler_name]

    def authorizer(self, tokens: Sequence[Token] | None = None) -> Authorizer:
        """Tells tokens apart: those of the configuration, or others."""
        from ..replay.authorization import Authorizer

        folder = TOKENS if self.core.environments[self.environment_name].type == "demo" else None
        known = self.configured.rbac_tokens if tokens is None else tokens
        return Authorizer(self.scheduler_name, known, environ=os.environ, folder=folder)

    def authorized(self, scope: Scope) -> str:
        """The id of the token that is presented here and allows a scope.

        Raises:
            AuthorizationError: None is presented, or it does not allow it.
        """
        from ..replay.clock import SystemClock

        who = self.authorizer()
        return who.authorize(who.presented(scope, self.token_file), scope, now_us=SystemClock().now_us())

    def identity(self, role: Role) -> Identity:
        """What one end shows where a loop is managed from another machine.

        Raises:
            UsageError: The environment has no bundle of certificates.
            DataError, JournalError: It is not there, or not what it should be.
        """
        from ..replay.certificates import MTLS, load_identity
        from ..replay.clock import SystemClock
        from ..replay.replaying import SECRETS

        bundle = self.core.environments[self.environment_name].mtls_bundle
        if bundle is None:
            raise UsageError(
                f"environment {self.environment_name!r} has no mtls_bundle, and from another machine both ends show "
                "certificates. Name one in the configuration; `barstep keys init --mtls-bundle NAME` makes it."
            )
        return load_identity(SECRETS / MTLS, bundle, role, now_us=SystemClock().now_us())

    def require_secrets(self) -> None:
        """Have the environment's keys and tokens there; a demonstration's are made, and told."""
        from ..replay.replaying import SECRETS
        from ..replay.secrets_setup import require_secrets

        name, place = self.environment_name, self.core.environments[self.environment_name]
        for path in require_secrets(SECRETS, name, place, self.configured.rbac_tokens, os.environ):
            typer.echo(f"made for the demonstration: {path}", err=True)


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """How a run is opened here.

    Attributes:
        journal: The folder of journals; None: nothing is written down.
        keys: The folder of the signing keys; None: the environment's own.
        start: When recorded bars start; None: where the journal says.
        end: When they end.
        speed: Of recorded bars, such as 60.0; None: as fast as it goes.
        latest: Whether it is run once.
    """

    journal: Path | None
    keys: Path | None = None
    start: str | None = None
    end: str | None = None
    speed: float | None = None
    latest: bool = False


class Here:
    """A run that is open in this process.

    Attributes:
        opened: The run, and the configuration in force.
        reloader: Takes the configuration anew.
        desk: Answers.
    """

    def __init__(self, opened: Opened, reloader: Reloader, desk: Desk, by: str) -> None:
        """by: id of the token that was presented; empty where only what needs none is asked."""
        self.opened, self.reloader, self.desk, self._by = opened, reloader, desk, by

    def ask(self, verb: str, **fields: Any) -> Any:
        """What a verb gives."""
        return self.desk.answer(verb, fields, self._by)


@contextmanager
def opened_here(
    where: Where, recorded: Recorded, *, writes: bool, runs: bool = False, begun: Callable[[], object] = lambda: None
) -> Iterator[Here]:
    """Open a run in this process, and close it.

    Args:
        where: Which one.
        recorded: How.
        writes: Whether it is to change something, which a token has to allow.
        runs: Whether it is to be run, which the environment's secrets have to be there for.
        begun: Called when the journal is taken.

    Raises:
        AuthorizationError: Nothing that is presented allows to change something.
        HeldError: Another process holds the journal.
    """
    from ..data.instants import read_instant
    from ..engine.configured import load_core_config
    from ..replay.authorization import WRITE
    from ..replay.clock import SystemClock
    from ..replay.control.desk import Desk
    from ..replay.control.opening import Wanted, open_run
    from ..replay.control.reloading import Reloader

    span = {
        name: None if text is None else read_instant(f"--{name}", text)
        for name, text in (("start", recorded.start), ("end", recorded.end))
    }
    wanted = Wanted(
        core=where.core,
        environment=where.environment_name,
        scheduler=where.scheduler_name,
        journal=recorded.journal,
        keys=recorded.keys,
        speed=recorded.speed,
        latest=recorded.latest,
        **span,
    )
    if not (writes or runs) and wanted.files is not None and not wanted.files.open_segment.exists():
        wanted = wanted.without_journal()  # to look at what has not begun makes nothing
    if wanted.journal is not None or writes:
        where.require_secrets()
    by = where.authorized(WRITE) if writes else ""
    clock = SystemClock()
    try:
        opened = open_run(wanted, clock)
    except HeldError as error:
        raise held(error) from None
    begun()
    try:
        scheduler = opened.run.scheduler
        reloader = Reloader(
            scheduler, opened.config, lambda: load_core_config(where.path), clock, folder=wanted.journal
        )
        yield Here(opened, reloader, Desk(opened.run, clock, reloader), by)
    finally:
        opened.run.close()


def held(error: HeldError) -> HeldError:
    """The same error with what to type instead."""
    return HeldError(f"{error} Or ask the loop that holds it: add --connect.")


@contextmanager
def connected(where: Where, connect: str, scope: Scope) -> Iterator[Asked]:
    """Ask the loop that runs.

    Args:
        where: Which one.
        connect: Its address, or `HERE`.
        scope: What is asked needs.

    Raises:
        HeldError: No loop is there.
        AuthorizationError: The token does not allow it.
    """
    from ..replay.clock import SystemClock
    from ..replay.control.connecting import connect_control, control_address, needs_identity
    from ..replay.control.place import find_place

    address = find_place(where.environment_name).address if connect == HERE else control_address(connect)
    token = where.authorizer().presented(scope, where.token_file)
    identity = where.identity("client") if needs_identity(address) else None
    client = connect_control(address, token, SystemClock(), identity)
    try:
        yield client
    finally:
        client.close()


@contextmanager
def changed(where: Where, recorded: Recorded, connect: str | None) -> Iterator[Asked]:
    """Ask for a change: the loop that runs where an address is given, otherwise a run that is opened here.

    Raises:
        HeldError, AuthorizationError: As `connected` and `opened_here`.
    """
    from ..replay.authorization import WRITE

    if connect is None:
        with opened_here(where, recorded, writes=True) as here:
            yield here
    else:
        with connected(where, connect, WRITE) as there:
            yield there
