"""A folder in which a loop runs at a venue, with keys, certificates and tokens that are thrown away."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from ..config.core import CoreConfig
from ..config.tokens import Token
from ..errors import UsageError
from ..replay.authorization import READ, WRITE, new_token, read_token, token_path, write_token
from ..replay.certificate_files import BundleFolder
from ..replay.certificates import MTLS, init_bundle
from ..replay.channel.addresses import parse_address
from ..replay.clock import Clock
from ..replay.control.client import ControlClient
from ..replay.control.connecting import connect_control
from ..replay.control.place import FOLDER as PLACES
from ..replay.control.place import find_place
from ..replay.journal.files import JournalFiles
from ..replay.key_files import KeyFolder
from ..replay.live.opening import VENUE_TOKEN
from ..replay.private_files import make_private_folder, read_private, write_private
from ..replay.secrets_setup import KEYS, TOKENS

CONFIG = Path("config/core.yaml")
JOURNALS = Path("audit/decision_logs")
OPERATOR = "operator"
"""Id of the one token that manages the loop."""
BUNDLE = "throw-away"

_OPERATOR_VARIABLE, _VENUE_VARIABLE = "BARSTEP_OPERATOR_TOKEN", "BARSTEP_ADAPTER_TOKEN"


@dataclass(frozen=True, kw_only=True)
class LivePlace:
    """Where one loop runs, and with what.

    Attributes:
        folder: The working folder of its processes.
        config: The configuration, with the tokens and the address that are used here.
        environment: The name of the environment.
        scheduler: The name of the scheduler.
        token: What manages the loop.
        venue_token: What the loop presents to its venue.
        bundle: The bundle of certificates for the venue.
    """

    folder: Path
    config: CoreConfig
    environment: str
    scheduler: str
    token: str
    venue_token: str
    bundle: str | None

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment variables of its processes: no token of this process is among them."""
        own = {_OPERATOR_VARIABLE: self.token, _VENUE_VARIABLE: self.venue_token, "PYTHONUNBUFFERED": "1"}
        return {name: text for name, text in os.environ.items() if not name.endswith("_TOKEN")} | own

    @property
    def files(self) -> JournalFiles:
        """The files of the journal."""
        return JournalFiles(folder=self.folder / JOURNALS, environment=self.environment)

    @property
    def keys(self) -> KeyFolder:
        """The keys that sign it."""
        return KeyFolder(self.secrets / KEYS / self.environment)

    @property
    def secrets(self) -> Path:
        """The folder of secrets."""
        return self.folder / "secrets"

    @property
    def token_file(self) -> Path:
        """Where the token that manages the loop is."""
        return token_path(self.secrets / TOKENS, OPERATOR)

    def loop_is_there(self) -> bool:
        """Whether the loop says that it listens."""
        return (self.folder / PLACES / f"{self.environment}.json").exists()

    @contextmanager
    def managed(self, clock: Clock) -> Iterator[ControlClient]:
        """Manage the loop over its channel.

        Raises:
            HeldError: It does not listen.
        """
        client = connect_control(find_place(self.environment, self.folder / PLACES).address, self.token, clock)
        try:
            yield client
        finally:
            client.close()

    def at(self, address: str) -> LivePlace:
        """The same with a venue at an address; its configuration is written."""
        own = self.config.environments[self.environment]
        own = msgspec.structs.replace(
            own, adapter_address=address, mtls_bundle=self.bundle, adapter_token_env=_VENUE_VARIABLE
        )
        config = msgspec.structs.replace(self.config, environments=self.config.environments | {self.environment: own})
        path = self.folder / CONFIG
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(config)) + b"\n")  # JSON is YAML, too
        return replace(self, config=config)


def make_place(folder: Path, core: CoreConfig, environment: str, scheduler: str, clock: Clock) -> LivePlace:
    """Make what a loop and a venue on this machine need, in a folder that is there and empty."""
    secrets = folder / "secrets"
    place = LivePlace(
        folder=folder,
        config=_with_operator(core, scheduler),
        environment=environment,
        scheduler=scheduler,
        token=new_token(),
        venue_token=new_token(),
        bundle=BUNDLE,
    )
    init_bundle(BundleFolder(secrets / MTLS, BUNDLE), host="localhost", client=BUNDLE, now_us=clock.now_us())
    place.keys.init()
    write_token(place.token_file, place.token)
    return place


def with_venue_of(place: LivePlace, address: str, secrets: Path, environ: Mapping[str, str]) -> LivePlace:
    """The same at a venue that runs already: its certificates and its token are copied from the user's secrets.

    Raises:
        UsageError: The environment names no bundle and the address wants one.
        DataError: A file is not there.
        JournalError: One is not private.
    """
    own = place.config.environments[place.environment]
    bundle = own.mtls_bundle if parse_address(address).is_tls else None
    if bundle is None and parse_address(address).is_tls:
        raise UsageError(f"environment {place.environment!r}: {address} needs an mtls_bundle; none is set.")
    given = environ.get(own.adapter_token_env or "", "").strip()
    token = given or read_token(token_path(secrets / TOKENS, VENUE_TOKEN))
    if bundle is not None:
        make_private_folder(place.secrets / MTLS / bundle)
        for name in ("ca.pem", "client.pem", "client.key"):
            write_private(place.secrets / MTLS / bundle / name, read_private(secrets / MTLS / bundle / name))
    return replace(place, venue_token=token, bundle=bundle).at(address)


def _with_operator(core: CoreConfig, scheduler: str) -> CoreConfig:
    """The configuration with one token, whose secret stands in a variable of our own, for use from anywhere."""
    token = Token(id=OPERATOR, env=_OPERATOR_VARIABLE, scopes=[READ, WRITE])
    schedulers = core.runtime.multi_strategy_schedulers
    own = msgspec.structs.replace(schedulers[scheduler], rbac_tokens=[token])
    runtime = msgspec.structs.replace(core.runtime, multi_strategy_schedulers=schedulers | {scheduler: own})
    files = [str(Path(file).resolve()) for file in core.engine_files]  # the loop works in another folder
    return msgspec.structs.replace(core, runtime=runtime, engine_files=files)
