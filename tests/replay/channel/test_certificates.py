"""What certificates say."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from pathlib import Path

import pytest
from barstep.config.durations import microseconds
from barstep.errors import AuthorizationError
from barstep.replay.certificate_files import BundleFolder
from barstep.replay.certificates import init_bundle, load_identity, rotate_bundle
from barstep.replay.channel.certificates import check_own, check_shown, shown
from barstep.replay.channel.identity import Identity
from barstep.replay.clock import SystemClock
from certificate_making import AUTHORITY, CLIENT, DESK, STRANGER, identity, made
from channel_making import SmallService, calling, serving
from cryptography.hazmat.primitives.serialization import Encoding

NOW = SystemClock().now_us()
NEXT = made(authority=True, subject="the next authority")
BRIDGE = made(authority=True, subject="the next authority", issuer=AUTHORITY)
BENEATH = made(authority=True, subject="beneath", issuer=AUTHORITY)
LEAF = made("barstep://client/leaf", issuer=AUTHORITY)


def test_a_good_certificate_is_good_at_both_sides() -> None:
    """Its own side finds nothing, and the other one learns when it ends."""
    check_own(CLIENT, NOW)
    ends_us = check_shown(shown(CLIENT), DESK, AUTHORITY.pem, NOW)
    assert 0 < ends_us - NOW <= 2 * 86_400_000_000


FAULTS = [
    (identity(made(DESK, issuer=AUTHORITY, days=(-3, -1)), AUTHORITY), "expired at 20"),
    (identity(made(DESK, issuer=AUTHORITY, days=(1, 3)), AUTHORITY), "is valid only from 20"),
    (
        identity(made(DESK, issuer=STRANGER), AUTHORITY),
        "was issued by CN=a stranger, not by the authority (CN=the autho",
    ),
    (identity(made(DESK), AUTHORITY), "was issued by CN=x, not by the authority (CN=the authority)"),
    (identity(made(DESK, issuer=LEAF), AUTHORITY, chain=LEAF.pem), "was issued by CN=x, not by the authority"),
    (identity(made(issuer=AUTHORITY), AUTHORITY), "has 0 names (no SAN); one is allowed"),
    (
        identity(made(DESK, "b.example", issuer=AUTHORITY), AUTHORITY),
        f"has 2 names ({DESK}, b.example); one is allowed",
    ),
]


@pytest.mark.parametrize(("faulty", "text"), FAULTS)
def test_what_is_wrong_with_a_certificate_is_said_at_both_sides(faulty: Identity, text: str) -> None:
    """Its end, its issuer and the number of its names; whose side it is on stands before it."""
    with pytest.raises(AuthorizationError, match=f"^the certificate of this side, {DESK}, {re.escape(text)}"):
        check_own(faulty, NOW)
    with pytest.raises(AuthorizationError, match=f"^the certificate that the client shows {re.escape(text)}"):
        check_shown(shown(faulty), DESK, AUTHORITY.pem, NOW)


def test_an_authority_s_own_signature_by_the_one_before_leads_to_it() -> None:
    """While one authority follows another, a client of the next one is known by who trusts only the old one."""
    leaf = made(DESK, issuer=BENEATH)
    chained = identity(leaf, AUTHORITY, chain=BENEATH.pem)
    check_own(chained, NOW)
    assert check_shown(shown(chained), DESK, AUTHORITY.pem, NOW) == microseconds(leaf.certificate.not_valid_after_utc)
    with pytest.raises(AuthorizationError, match="was issued by CN=beneath"):
        check_own(identity(leaf, AUTHORITY), NOW)


def test_ends_of_a_bundle_let_each_other_in_while_its_authority_changes(tmp_path: Path) -> None:
    """Those that were started before and those that were started after, in every pairing."""
    bundle = BundleFolder(tmp_path / "mtls", "core")
    init_bundle(bundle, host="127.0.0.1", client="desk", now_us=NOW)
    ends = [load_identity(tmp_path / "mtls", "core", role, now_us=NOW) for role in ("server", "client")]
    rotate_bundle(bundle, with_authority=True, now_us=NOW)
    ends += [load_identity(tmp_path / "mtls", "core", role, now_us=NOW) for role in ("server", "client")]
    for server in ends[::2]:
        service = SmallService()
        with serving(service, identity=server) as one:
            for client in ends[1::2]:
                with calling(one, identity=client) as caller:
                    assert caller.fetch("numbers", b"1").num_rows == 1
        assert [one.certificate for one in service.callers] == [DESK, DESK]


def test_one_of_several_authorities_is_enough() -> None:
    """During a rotation both are trusted."""
    both = AUTHORITY.pem + NEXT.pem
    for authority in (AUTHORITY, NEXT):
        check_own(replace(identity(made(DESK, issuer=authority), authority), authority=both), NOW)


def test_a_key_that_is_not_the_certificate_s_is_told() -> None:
    """So is one that is none, and what is no certificate."""
    other = made(DESK, issuer=AUTHORITY).key_pem
    with pytest.raises(AuthorizationError, match="is not that of its certificate"):
        check_own(replace(CLIENT, key=other), NOW)
    with pytest.raises(AuthorizationError, match=r"the private key of this side, .*, is none in PEM") as refused:
        check_own(replace(CLIENT, key=b"-----BEGIN secret"), NOW)
    assert "secret" not in str(refused.value)
    with pytest.raises(AuthorizationError, match="the certificate of this side is none in PEM"):
        check_own(replace(CLIENT, certificate=b"x"), NOW)
    with pytest.raises(AuthorizationError, match="the authority of this side is none in PEM"):
        check_own(replace(CLIENT, authority=b""), NOW)
    with pytest.raises(AuthorizationError, match="names barstep://client/desk, not another"):
        check_own(replace(CLIENT, name="another"), NOW)


def test_a_certificate_of_somebody_else_is_not_taken() -> None:
    """The one name must be whom TLS has proved."""
    with pytest.raises(
        AuthorizationError, match="shows the certificate of 'barstep://client/desk', and its connection"
    ):
        check_shown(shown(CLIENT), "barstep://client/other", AUTHORITY.pem, NOW)


@pytest.mark.parametrize(
    "header", ["", "x", "eA==", ",", base64.b64encode(AUTHORITY.certificate.public_bytes(Encoding.DER)[:-9]).decode()]
)
def test_what_is_no_certificate_is_not_taken(header: str) -> None:
    """Nothing, no base64, no DER, and a certificate that is cut."""
    with pytest.raises(AuthorizationError, match="the client shows no certificate in the header"):
        check_shown(header, DESK, AUTHORITY.pem, NOW)
