"""The tokens that a server knows."""

from __future__ import annotations

import hmac
import traceback
from datetime import UTC, datetime

import pytest
from barstep.config.tokens import Token
from barstep.errors import AuthorizationError
from barstep.replay import authorization
from barstep.replay.authorization import READ, WRITE, Authorizer, token_sha384
from barstep.replay.channel.tokens import TokenEntry, TokenTable, entries_of

NOW = 1_704_067_200_000_000  # 2024-01-01
SECRET = "-".join(["a", "secret", "of", "the", "desk"])


def entry(token_id: str, secret: str = SECRET, expires_us: int | None = None) -> TokenEntry:
    return TokenEntry.of_secret(token_id, secret, [READ], expires_us=expires_us)


def id_of(table: TokenTable, token: str, now_us: int) -> str:
    return table.verify(token, now_us).token_id


def refusal(table: TokenTable, token: str, now_us: int = NOW) -> str:
    with pytest.raises(AuthorizationError) as refused:
        table.verify(token, now_us)
    told = "".join(traceback.format_exception(refused.value)) + repr(refused.value) + repr(table) + repr(entry("x"))
    assert token not in told and SECRET not in told and token_sha384(SECRET) not in told
    return str(refused.value)


def test_a_token_is_known_by_its_digest() -> None:
    """Its id and its scopes come back."""
    caller = TokenTable([entry("other", "x"), entry("desk")]).verify(SECRET, NOW)
    assert (caller.token_id, caller.scopes, caller.certificate) == ("desk", frozenset({READ}), "")


@pytest.mark.parametrize("token", ["x" * 20, SECRET.upper(), f"{SECRET} ", token_sha384(SECRET), "é\udcff" * 9])
def test_an_unknown_token_is_refused_and_does_not_show(token: str) -> None:
    """Neither one that is near nor the digest opens anything."""
    assert refusal(TokenTable([entry("desk")]), token) == "the token is not known here, or was revoked."


def test_a_token_ends_at_its_instant() -> None:
    """A microsecond before it is good, at it no more; another entry of the same secret still is."""
    old = entry("old", expires_us=NOW)
    assert id_of(TokenTable([old]), SECRET, NOW - 1) == "old"
    assert refusal(TokenTable([old]), SECRET) == "token 'old' expired at 2024-01-01T00:00:00Z."
    assert id_of(TokenTable([old, entry("new")]), SECRET, NOW) == "new"


def test_tokens_are_replaced_while_it_runs() -> None:
    """Who was known is not, and who was not is."""
    table = TokenTable([entry("desk")])
    table.replace([entry("next", "another-one")])
    assert refusal(table, SECRET)
    assert id_of(table, "another-one", NOW) == "next"


def test_every_entry_is_compared_as_bytes_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A match does not end the comparing."""
    seen: list[tuple[object, object]] = []

    def spy(first: bytes, second: bytes) -> bool:
        seen.append((type(first), type(second)))
        return hmac.compare_digest(first, second)

    monkeypatch.setattr(authorization, "hmac", type("Spied", (), {"compare_digest": staticmethod(spy)}))
    TokenTable([entry("desk"), entry("a", "a"), entry("b", "b")]).verify(SECRET, NOW)
    assert seen == [(bytes, bytes)] * 3


def test_a_scheduler_s_tokens_are_the_channel_s() -> None:
    """Id, scopes, end and secret are those of the configuration; an entry whose variable is not set is left out."""
    tokens = [
        Token(id="hashed", scopes=[READ], sha384=token_sha384(SECRET), expires=datetime(2024, 1, 1, tzinfo=UTC)),
        Token(id="named", scopes=[READ, WRITE], env="CORE"),
        Token(id="unset", scopes=[READ], env="UNSET"),
    ]
    entries = entries_of(Authorizer("core", tokens, environ={"CORE": "of the machine"}))
    assert [(one.id, one.scopes, one.expires_us) for one in entries] == [
        ("hashed", frozenset({READ}), NOW),
        ("named", frozenset({READ, WRITE}), None),
    ]
    assert id_of(TokenTable(entries), "of the machine", NOW) == "named"
