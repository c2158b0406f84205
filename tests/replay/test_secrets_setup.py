"""What an environment needs before it starts: a demonstration makes it, the others have to have it."""

from __future__ import annotations

from pathlib import Path

import pytest
from barstep.config.environments import Environment
from barstep.config.tokens import Token
from barstep.errors import DataError, JournalError
from barstep.replay.authorization import READ, WRITE, Authorizer, read_token, token_sha384
from barstep.replay.key_files import KeyFolder
from barstep.replay.secrets_setup import demo_secrets, require_identity, require_secrets
from bundle_making import DAY_US, NOW_US, made
from msgspec.structs import replace

LOCAL = Token(id="scheduler-local", env="CORE_SCHEDULER_TOKEN", scopes=[READ, WRITE])
HASHED = Token(id="hashed", sha384=token_sha384("x"), scopes=[READ])


def environment(kind: str) -> Environment:
    return Environment(
        type=kind, venue="v", risk_profile="r", instrument_universe="u", scheduler="s", capital=1.0  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_demonstration_makes_what_it_lacks_once(tmp_path: Path) -> None:
    """Journal keys and a token that opens its scheduler; a second time nothing changes."""
    made = demo_secrets(tmp_path / "secrets", "demo", [LOCAL, HASHED], {})
    assert [str(path.relative_to(tmp_path)) for path in made] == [
        "secrets/journal/demo/root.key", "secrets/journal/demo/epoch.key", "secrets/tokens/scheduler-local.token",
    ]  # fmt: skip
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in made)
    before = [path.read_bytes() for path in made]
    assert demo_secrets(tmp_path / "secrets", "demo", [LOCAL, HASHED], {}) == []
    assert [path.read_bytes() for path in made] == before
    own = Authorizer("s", [LOCAL], environ={}, folder=tmp_path / "secrets" / "tokens")
    assert own.authorize(read_token(made[2]), WRITE, now_us=0) == "scheduler-local"


def test_a_variable_that_is_set_needs_no_file(tmp_path: Path) -> None:
    """The token is the operator's own then."""
    made = require_secrets(tmp_path / "s", "demo", environment("demo"), [LOCAL], {"CORE_SCHEDULER_TOKEN": "x"})
    assert [path.name for path in made] == ["root.key", "epoch.key"]


@pytest.mark.parametrize("kind", ["paper", "live"])
def test_paper_and_live_do_not_start_without_their_own(kind: str, tmp_path: Path) -> None:
    """First the keys are asked for, then a token; nothing is made for them."""
    folder, one, name = tmp_path / "secrets", environment(kind), f"binance_{kind}"
    with pytest.raises(JournalError, match=f"type {kind} and does not start .* keys init --environment {name}"):
        require_secrets(folder, name, one, [LOCAL], {"CORE_SCHEDULER_TOKEN": "x"})
    assert not folder.exists()
    KeyFolder(folder / "journal" / name).init()
    with pytest.raises(JournalError, match="without a token of its own"):
        require_secrets(folder, name, one, [LOCAL], {"CORE_SCHEDULER_TOKEN": " "})
    assert require_secrets(folder, name, one, [LOCAL], {"CORE_SCHEDULER_TOKEN": "x"}) == []
    assert require_secrets(folder, name, one, [HASHED], {}) == []


def test_a_demonstration_makes_its_certificates_once(tmp_path: Path) -> None:
    """Both ends are of one bundle, which is kept; an environment that names none has none."""
    one = replace(environment("demo"), mtls_bundle="core-oem")
    client = require_identity(tmp_path / "secrets", one, "client", now_us=NOW_US)
    server = require_identity(tmp_path / "secrets", one, "server", now_us=NOW_US)
    assert client is not None and server is not None
    assert (client.name, server.name) == ("barstep://client/core-oem", "localhost")
    assert client.authority == server.authority
    assert require_identity(tmp_path / "secrets", one, "client", now_us=NOW_US) == client
    assert require_identity(tmp_path / "none", environment("demo"), "client", now_us=NOW_US) is None
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("kind", ["paper", "live"])
def test_paper_and_live_bring_their_certificates(kind: str, tmp_path: Path) -> None:
    """Nothing is made for them, and what has expired does not start them."""
    one = replace(environment(kind), mtls_bundle="core-oem")
    with pytest.raises(DataError, match="`barstep keys init --mtls-bundle core-oem` makes it"):
        require_identity(tmp_path / "secrets", one, "client", now_us=NOW_US)
    assert not (tmp_path / "secrets").exists()
    made(tmp_path / "secrets" / "mtls")
    assert require_identity(tmp_path / "secrets", one, "client", now_us=NOW_US) is not None
    with pytest.raises(JournalError, match="expired at"):
        require_identity(tmp_path / "secrets", one, "client", now_us=NOW_US + 90 * DAY_US)
