"""A live run from a configuration: its venue, its secrets, its journal and its recording."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...config.core import CoreConfig
from ...config.environments import Environment
from ...engine.bars import MICROSECONDS
from ...engine.scheduler.live_setup import LivePlan, plan_live
from ...errors import AuthorizationError, UsageError
from ..adapter_log import AdapterLog
from ..authorization import read_token, token_path
from ..channel.addresses import parse_address
from ..channel.client import ChannelClient
from ..clock import Clock
from ..journal.disk import REAL_DISK
from ..journal.files import JournalFiles, read_head
from ..key_files import KeyFolder
from ..keys import random_bytes
from ..replaying import SECRETS
from ..secrets_setup import KEYS, TOKENS, require_identity, require_secrets
from .backing_off import BackOff
from .done_again import RECORDINGS, recording_path
from .greeting import hello_of, legs_of
from .past import RecordedPast
from .recording import Recording
from .run import LiveRun
from .running import SESSION, ConnectedSession, greet
from .session import LiveSession
from .shadow import shadow_of

VENUE_TOKEN = "venue"  # noqa: S105 - the name of its file
ROOM_BARS = 200_000
"""Bars that may come before a loop has to be started again."""
LOGS = Path("logs/adapters")
"""A line for each thing that happens to a connection, under the working folder."""


@dataclass(frozen=True, kw_only=True)
class LivePlaces:
    """Where a live run keeps what it keeps.

    Attributes:
        journal: The folder of journals.
        keys: The folder of the signing keys; None: the environment's own.
        recordings: The folder of recordings.
        secrets: The folder of secrets.
    """

    journal: Path
    keys: Path | None = None
    recordings: Path = RECORDINGS
    secrets: Path = SECRETS


def open_live(
    config: CoreConfig | str | Path,
    environment: str,
    scheduler: str | None,
    places: LivePlaces,
    clock: Clock,
    *,
    latest: bool = False,
    address: str | None = None,
    environ: Mapping[str, str] = os.environ,
    **options: Any,
) -> LiveRun:
    """A live run of an environment, gone on with where it has a journal; a new one asks the venue where it stands.

    Args:
        config: A configuration, or its file.
        environment: A name, an alias or a type.
        scheduler: A scheduler of it; None: the environment's.
        places: Where things are kept.
        clock: The time.
        latest: Whether a new run begins so early that each schedule has had a due time when the venue's instant comes.
        address: Where the venue is; None: the environment's `adapter_address`.
        environ: The environment variables.
        **options: Fields of `Execution` that market orders have.

    Raises:
        FeedError: The venue cannot be reached, and is needed.
        UsageError: The environment has no venue.
        JournalError, HeldError, DataError, AuthorizationError, ConfigError: As for a replay.
    """
    plan = plan_live(config, environment, scheduler)
    own = plan.config.environments[plan.environment]
    where = address or own.adapter_address
    if where is None:
        raise UsageError(f"environment {plan.environment!r} has no adapter_address: there is no venue to connect to.")
    tokens = plan.config.runtime.multi_strategy_schedulers[plan.scheduler].rbac_tokens
    require_secrets(places.secrets, plan.environment, own, tokens, environ)
    client = _client(plan, own, where, places, clock, environ)
    try:
        return _opened(plan, places, client, clock, options, latest=latest)
    except BaseException:
        client.close()
        raise


def _opened(
    plan: LivePlan,
    places: LivePlaces,
    client: ChannelClient,
    clock: Clock,
    options: Mapping[str, Any],
    *,
    latest: bool,
) -> LiveRun:
    keys = KeyFolder(places.keys or places.secrets / KEYS / plan.environment)
    head = read_head(REAL_DISK, JournalFiles(folder=places.journal, environment=plan.environment).head)
    keys.bind(None if head is None else head.log)
    log_id = random_bytes(16).hex() if head is None else head.log
    link, welcome, start_us = None, None, 0
    if head is None:
        link, welcome = greet(client.open(SESSION), hello_of(plan, log_id, options), clock)
        start_us = welcome.now_us - (_longest_cadence_us(plan) if latest else 0)
    path = recording_path(places.recordings, plan.environment, log_id)
    past = RecordedPast(Recording(path, legs_of(plan), plan.interval_seconds), client.fetch)
    try:
        session = LiveSession.open(
            plan,
            places.journal,
            keys,
            past,
            log_id=log_id,
            start_us=start_us,
            now_us=clock.now_us(),
            room=ROOM_BARS,
            **options,
        )
    except BaseException:
        past.close()
        raise
    keys.bind(log_id)
    log = AdapterLog(LOGS / f"{plan.environment}.log", clock)
    back_off = BackOff(np.random.default_rng(int.from_bytes(random_bytes(8), "little")))
    connected = ConnectedSession(session, lambda: client.open(SESSION), clock, back_off, log)
    connected.shadow = shadow_of(session, JournalFiles(folder=places.journal, environment=plan.environment), clock)
    begun = None if link is None or welcome is None else (link, welcome)
    return LiveRun(plan.config, connected, past, client, begun=begun)


def _client(
    plan: LivePlan, own: Environment, address: str, places: LivePlaces, clock: Clock, environ: Mapping[str, str]
) -> ChannelClient:
    identity = None
    if parse_address(address).is_tls:
        identity = require_identity(places.secrets, own, "client", now_us=clock.now_us())
        if identity is None:
            raise UsageError(f"environment {plan.environment!r}: {address} needs an mtls_bundle; none is set.")
    return ChannelClient(address, _token(plan, own, places, environ), identity=identity, clock=clock)


def _token(plan: LivePlan, own: Environment, places: LivePlaces, environ: Mapping[str, str]) -> str:
    """The token that is shown to the venue: of the configured variable, or of the file that a stub venue made."""
    variable = own.adapter_token_env
    if variable and environ.get(variable, "").strip():
        return environ[variable].strip()
    path = token_path(places.secrets / TOKENS, VENUE_TOKEN)
    if path.exists():
        return read_token(path)
    named = f"set {variable}, or " if variable else "name its variable as adapter_token_env, or "
    raise AuthorizationError(
        f"environment {plan.environment!r}: no token for its venue: {named}put it into {path}, a file of your own "
        "with mode 0600."
    )


def _longest_cadence_us(plan: LivePlan) -> int:
    return max(round(one.schedule.cadence_seconds * MICROSECONDS) for one in plan.resolved)
