"""Tokens: who may do what, and that none of them shows."""

from __future__ import annotations

import hashlib
import hmac
import traceback
from datetime import UTC, datetime
from pathlib import Path

import pytest
from barstep.config.tokens import Token
from barstep.errors import AuthorizationError, DataError, JournalError, UsageError
from barstep.replay import authorization
from barstep.replay.authorization import READ, WRITE, Authorizer, new_token, read_token, token_sha384, write_token

NOW = 1_704_067_200_000_000  # 2024-01-01
SECRET = " ".join(["correct", "horse", "battery", "staple"])


def entry(token_id: str, **fields: object) -> Token:
    return Token(id=token_id, **{"scopes": [READ, WRITE], **fields})  # type: ignore[arg-type]


def authorizer(*tokens: Token, folder: Path | None = None, **environ: str) -> Authorizer:
    return Authorizer("core", tokens, environ=environ, folder=folder)


def refusal(one: Authorizer, token: str, scope: str = WRITE, now_us: int = NOW) -> str:
    with pytest.raises(AuthorizationError) as refused:
        one.authorize(token, scope, now_us=now_us)  # type: ignore[arg-type]
    told = "".join(traceback.format_exception(refused.value)) + repr(refused.value) + repr(one)
    assert SECRET not in told and token_sha384(SECRET) not in told
    assert token not in str(refused.value)
    return str(refused.value)


def test_a_token_is_known_by_its_digest_or_its_variable() -> None:
    """Its id is what comes back, whichever of the two the entry has."""
    by_digest = entry("hashed", sha384=hashlib.sha384(SECRET.encode()).hexdigest())
    both = authorizer(by_digest, entry("named", env="CORE"), CORE="another")
    assert both.authorize(SECRET, WRITE, now_us=NOW) == "hashed"
    assert both.authorize("another", READ, now_us=NOW) == "named"


def test_what_is_not_known_is_refused_with_what_was_needed() -> None:
    """Neither the empty text, nor the digest itself, nor a token with a blank more opens anything."""
    one = authorizer(
        entry("hashed", sha384=token_sha384(SECRET)), entry("unset", env="CORE"), entry("empty", env="E"), E=" "
    )
    for token in ("x" * 20, token_sha384(SECRET)[:20], SECRET.upper(), f" {SECRET}  "):
        assert refusal(one, token) == (
            "the token is none of scheduler 'core'; runtime.schedule.write is needed. Its tokens: hashed, unset, empty."
        )
    with pytest.raises(AuthorizationError):
        one.authorize("", WRITE, now_us=NOW)
    assert "Its tokens: none." in refusal(authorizer(), "x" * 20)


def test_a_scope_that_a_token_lacks_is_named_with_its_id() -> None:
    """Reading is not writing, and one does not imply the other."""
    for held, asked in ((READ, WRITE), (WRITE, READ)):
        one = authorizer(entry("viewer", sha384=token_sha384(SECRET), scopes=[held]))
        assert one.authorize(SECRET, held, now_us=NOW) == "viewer"  # type: ignore[arg-type]
        assert refusal(one, SECRET, asked) == (
            f"token 'viewer' of scheduler 'core' lacks the scope {asked}; it has {held}."
        )


def test_a_token_ends_at_its_instant() -> None:
    """A microsecond before it is good, at it no more; another entry of the same secret still is."""
    ends = datetime(2024, 1, 1, tzinfo=UTC)
    old = entry("old", sha384=token_sha384(SECRET), expires=ends)
    assert authorizer(old).authorize(SECRET, WRITE, now_us=NOW - 1) == "old"
    assert refusal(authorizer(old), SECRET) == (
        "token 'old' of scheduler 'core' expired at 2024-01-01T00:00:00Z; runtime.schedule.write is needed."
    )
    assert authorizer(old, entry("new", sha384=token_sha384(SECRET))).authorize(SECRET, WRITE, now_us=NOW) == "new"


def test_the_entry_that_allows_it_is_taken_of_several_with_one_secret() -> None:
    """The order of the entries does not matter."""
    narrow = entry("narrow", sha384=token_sha384(SECRET), scopes=[READ])
    assert authorizer(narrow, entry("wide", env="CORE"), CORE=SECRET).authorize(SECRET, WRITE, now_us=NOW) == "wide"


def test_digests_are_compared_in_constant_time_and_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """As bytes, by the library, and the first match ends nothing."""
    compared, real = [], hmac.compare_digest

    def compare(a: bytes, b: bytes) -> bool:
        compared.append((a, b))
        return real(a, b)

    monkeypatch.setattr(authorization.hmac, "compare_digest", compare)
    tokens = [entry(f"t{number}", sha384=token_sha384(f"{number}")) for number in range(4)]
    assert authorizer(*tokens).authorize("0", WRITE, now_us=NOW) == "t0"
    assert len(compared) == 4 and all(len(side) == 48 for pair in compared for side in pair)


def test_the_token_is_presented_by_file_then_variable_then_its_own_place(tmp_path: Path) -> None:
    """Having the entry's own variable is the proof; of several, the one that allows what is asked."""
    write_token(tmp_path / "a" / "token", "of the file")
    viewer, writer = entry("viewer", env="VIEWER", scopes=[READ]), entry("writer", env="WRITER", scopes=[WRITE])
    all_set = authorizer(viewer, writer, **{"VIEWER": "v", "WRITER": "w", "BARSTEP_TOKEN": "b"})
    assert all_set.presented(WRITE, tmp_path / "a" / "token") == "of the file"
    assert all_set.presented(WRITE) == "b"
    own = authorizer(viewer, writer, VIEWER="a viewer", WRITER="a writer")
    assert (own.presented(WRITE), own.presented(READ)) == ("a writer", "a viewer")
    only_viewer = authorizer(viewer, writer, VIEWER="a viewer's own")
    assert "token 'viewer' of scheduler 'core' lacks" in refusal(only_viewer, only_viewer.presented(WRITE))
    with pytest.raises(
        AuthorizationError, match=r"no token is presented: set BARSTEP_TOKEN, VIEWER, or give --token-file"
    ):
        authorizer(viewer).presented(WRITE)
    with pytest.raises(AuthorizationError, match="has no rbac_tokens"):
        authorizer().presented(WRITE)


def test_a_demonstrations_token_lies_in_a_file(tmp_path: Path) -> None:
    """Where the variable is not set, `<id>.token` of the folder is the secret; else the file is not read."""
    write_token(tmp_path / "t" / "local.token", SECRET)
    local = entry("local", env="CORE")
    by_file = authorizer(local, folder=tmp_path / "t")
    assert by_file.authorize(by_file.presented(WRITE), WRITE, now_us=NOW) == "local"
    assert "is none of scheduler" in refusal(authorizer(local, folder=tmp_path / "t", CORE="set"), SECRET)
    assert "is none of scheduler" in refusal(authorizer(local), SECRET)
    (tmp_path / "t" / "local.token").chmod(0o644)
    with pytest.raises(JournalError, match=r"local\.token: has mode 0644") as refused:
        authorizer(local, folder=tmp_path / "t")
    assert SECRET not in str(refused.value)


def test_a_token_is_256_bits_and_is_written_once(tmp_path: Path) -> None:
    """64 hexadecimal digits, never the same; a file of it is not replaced, and is one line."""
    token = new_token()
    assert len(bytes.fromhex(token)) == 32 and token != new_token()
    path = tmp_path / "t" / "x.token"
    write_token(path, token)
    assert read_token(path) == token and path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(UsageError, match="is there already and is kept"):
        write_token(path, "other")
    for data in (b"", b"\n", b"a\nb\n", b"\xff"):
        path.write_bytes(data)
        with pytest.raises(DataError, match="no token stands in it"):
            read_token(path)
