"""What the steps of an acceptance share: where they write, what they were asked, and how they end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from ...config.core import CoreConfig
from ...config.environments import Environment, choose_environment
from ...config.schedulers import Scheduler
from ...engine.configured import load_core_config
from ...replay.authorization import WRITE, Authorizer
from ...replay.clock import Clock
from ...replay.journal.files import JournalFiles
from ...replay.journal.notes import append_note, make_note
from ...replay.journal.rotation import open_existing
from ...replay.key_files import KeyFolder
from ...replay.replaying import SECRETS
from ...replay.secrets_setup import KEYS, TOKENS

Status = Literal["PASS", "FAIL", "SKIP"]
JOURNALS = Path("audit/decision_logs")


class FailedError(Exception):
    """A step says no; the text says why."""


class SkippedError(Exception):
    """A step cannot run here; the text says why. In strict mode it fails."""


class ToldElsewhereError(Exception):
    """A step would say no only to what another step says no to already; the text names it."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What an acceptance is asked for.

    Attributes:
        config: The configuration's file.
        environment: A name, an alias or a type.
        timestamp: Names the folder.
        run_id: Version of the bundles.
        environ: The environment variables.
        strict: Whether what cannot run fails.
        skip: Names of steps that are left out.
        coverage: A coverage.xml that is judged in the place of running the tests.
        metrics_url: A loop's endpoint, whose telemetry is held against bounds; None: a replay's.
        scenarios: What the risk simulation puts markets through; None: what comes with barstep.
        paths: Of the risk simulation.
        iterations: Of the load test.
        signing_keys: By a bundle's kind the key that signs it, where that is not the default one.
        mtls_bundle: The certificates that are audited.
        source: The folder of rules and dashboards; None: `deploy`.
    """

    config: Path
    environment: str
    timestamp: str
    run_id: str
    environ: Mapping[str, str]
    strict: bool = False
    skip: tuple[str, ...] = ()
    coverage: Path | None = None
    metrics_url: str | None = None
    scenarios: Path | None = None
    paths: int = 500
    iterations: int = 60
    signing_keys: Mapping[str, Path] = field(default_factory=dict)
    mtls_bundle: str = "core-oem"
    source: Path | None = None

    @property
    def folder(self) -> Path:
        """Where everything goes."""
        return Path("var/audit/acceptance") / self.timestamp

    @property
    def smoke_folder(self) -> Path:
        """Where most of it goes."""
        return self.folder / "stage4_smoke"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a step ended.

    Attributes:
        step: Its name.
        title: What it is, in words.
        status: PASS, FAIL or SKIP.
        text: What was found, or why not.
        seconds: How long it took.
    """

    step: str
    title: str
    status: Status
    text: str
    seconds: float


@dataclass(kw_only=True)
class Stage:
    """A run of the steps.

    Attributes:
        asked: What was asked for.
        clock: The time.
        outcomes: Of the steps so far, by name.
        told: Called with a line for each file that a demonstration makes.
    """

    asked: Asked
    clock: Clock
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    told: Callable[[str], object] = lambda _: None

    @cached_property
    def core(self) -> CoreConfig:
        """The configuration.

        Raises:
            ConfigError: It is refused.
        """
        return load_core_config(self.asked.config)

    @cached_property
    def environment(self) -> str:
        """The environment's own name."""
        return choose_environment(self.core.environments, self.asked.environment)[0]

    @property
    def place(self) -> Environment:
        """The environment."""
        return self.core.environments[self.environment]

    @property
    def scheduler(self) -> Scheduler:
        """The environment's scheduler."""
        return self.core.runtime.multi_strategy_schedulers[self.place.scheduler]

    @property
    def journal(self) -> JournalFiles:
        """The environment's journal."""
        return JournalFiles(folder=JOURNALS, environment=self.environment)

    @property
    def keys(self) -> KeyFolder:
        """The keys that sign it."""
        return KeyFolder(SECRETS / KEYS / self.environment)

    @property
    def smoke_folder(self) -> Path:
        """Where most files go."""
        return self.asked.smoke_folder

    def failed(self, step: str) -> bool:
        """Whether a step has failed."""
        return step in self.outcomes and self.outcomes[step].status == "FAIL"

    def authorized(self) -> str:
        """The id of the token at hand that may write into the journal.

        Raises:
            AuthorizationError: There is none, or it may not.
        """
        folder = SECRETS / TOKENS if self.place.type == "demo" else None
        who = Authorizer(self.place.scheduler, self.scheduler.rbac_tokens, environ=self.asked.environ, folder=folder)
        return who.authorize(who.presented(WRITE), WRITE, now_us=self.clock.now_us())

    def note(self, message: str, status: str | None = None) -> int:
        """Write a record of category `stage4_smoke` into the journal; returns its number.

        Raises:
            AuthorizationError: No token at hand allows it.
            HeldError: A loop holds the journal.
            JournalError: The journal is not what it should be.
        """
        now_us = self.clock.now_us()
        note = make_note(message=message, by=self.authorized(), now_us=now_us, category="stage4_smoke", status=status)
        with open_existing(self.keys, self.journal, now_us=now_us) as journal:
            return append_note(journal, note)
