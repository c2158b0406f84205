"""The certificates in real handshakes: who is let in by a Flight server that wants one, and who is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from barstep.errors import JournalError
from barstep.replay.certificate_files import BundleFolder
from barstep.replay.certificates import finish_overlap, load_identity, rotate_bundle
from barstep.replay.channel.identity import Identity
from barstep.replay.clock import SystemClock
from barstep.replay.issuing import Role
from barstep.replay.private_files import write_private
from bundle_making import DAY_US, made
from pyarrow import flight


class Naming(flight.FlightServerBase):
    """Answers with the name in the certificate of who asks."""

    def do_action(self, context: flight.ServerCallContext, _: flight.Action) -> Iterator[bytes]:
        yield context.peer_identity()


@contextmanager
def serving(identity: Identity) -> Iterator[int]:
    """A server on loopback; its port."""
    server = Naming(
        "grpc+tls://127.0.0.1:0",
        tls_certificates=[(identity.certificate, identity.key)],
        verify_client=True,
        root_certificates=identity.authority,
    )
    try:
        yield server.port
    finally:
        server.shutdown()


def asked(port: int, identity: Identity, host: str = "localhost") -> str:
    """What the server calls us; flight.FlightUnavailableError where it or we refuse."""
    with flight.connect(
        f"grpc+tls://{host}:{port}",
        tls_root_certs=identity.authority,
        cert_chain=identity.certificate,
        private_key=identity.key,
    ) as client:
        return next(iter(client.do_action("name"))).body.to_pybytes().decode()


@pytest.fixture
def now_us() -> int:
    """The time by the clock that the handshake reads."""
    return SystemClock().now_us()


def identity_of(files: BundleFolder, role: Role, now_us: int) -> Identity:
    return load_identity(files.path.parent, files.bundle, role, now_us=now_us)


def test_our_client_is_let_in_by_its_name(tmp_path: Path, now_us: int) -> None:
    """By host name and by address, as the server's certificate says it; under another name no client goes on."""
    files = made(tmp_path / "mtls", now_us=now_us)
    client = identity_of(files, "client", now_us)
    with serving(identity_of(files, "server", now_us)) as port:
        assert asked(port, client) == client.name == "barstep://client/loop"
        with pytest.raises(flight.FlightUnavailableError):
            asked(port, client, host="127.0.0.1")
    rotate_bundle(files, host="127.0.0.1", now_us=now_us)
    with serving(identity_of(files, "server", now_us)) as port:
        assert asked(port, client, host="127.0.0.1") == client.name


def test_others_are_not_let_in(tmp_path: Path, now_us: int) -> None:
    """Another authority's client, one without a certificate, and our server in a client's place."""
    files = made(tmp_path / "mtls", now_us=now_us)
    ours = identity_of(files, "client", now_us)
    foreign = identity_of(made(tmp_path / "mtls", "foreign", now_us=now_us), "client", now_us)
    server = identity_of(files, "server", now_us)
    with serving(server) as port:
        for other in (foreign, server):
            shown = Identity(authority=ours.authority, certificate=other.certificate, key=other.key, name=other.name)
            with pytest.raises(flight.FlightUnavailableError):
                asked(port, shown)
        with (
            flight.connect(f"grpc+tls://localhost:{port}", tls_root_certs=ours.authority) as nobody,
            pytest.raises(flight.FlightUnavailableError),
        ):
            list(nobody.do_action("name"))
        assert asked(port, ours) == ours.name


def test_an_expired_client_is_not_let_in_and_is_told_so_before(tmp_path: Path, now_us: int) -> None:
    """The handshake says nothing of why; loading the certificate does."""
    files = made(tmp_path / "mtls", now_us=now_us - 91 * DAY_US)
    expired = identity_of(files, "client", now_us - 2 * DAY_US)
    with pytest.raises(JournalError, match=r"client\.pem: expired at"):
        identity_of(files, "client", now_us)
    rotate_bundle(files, now_us=now_us)
    with serving(identity_of(files, "server", now_us)) as port:
        with pytest.raises(flight.FlightUnavailableError):
            asked(port, expired)
        assert asked(port, identity_of(files, "client", now_us)) == expired.name


def test_in_an_overlap_old_and_new_let_each_other_in(tmp_path: Path, now_us: int) -> None:
    """Old ends know nothing of the new authority; in the end only the new ones are let in."""
    files = made(tmp_path / "mtls", now_us=now_us)
    old = {role: identity_of(files, role, now_us) for role in ("server", "client")}
    rotate_bundle(files, with_authority=True, now_us=now_us)
    new = {role: identity_of(files, role, now_us) for role in ("server", "client")}
    for server in (old["server"], new["server"]):
        with serving(server) as port:
            for client in (old["client"], new["client"]):
                assert asked(port, client) == client.name
    finish_overlap(files)
    last = {role: identity_of(files, role, now_us) for role in ("server", "client")}
    with serving(last["server"]) as port:
        assert asked(port, last["client"]) == asked(port, new["client"]) == "barstep://client/loop"
        with pytest.raises(flight.FlightUnavailableError):
            asked(port, old["client"])


def test_leaves_made_anew_meet_those_of_before(tmp_path: Path, now_us: int) -> None:
    """Under one authority old and new let each other in until the old ones expire."""
    files = made(tmp_path / "mtls", now_us=now_us)
    old = {role: identity_of(files, role, now_us) for role in ("server", "client")}
    rotate_bundle(files, now_us=now_us)
    new = {role: identity_of(files, role, now_us) for role in ("server", "client")}
    for server, client in ((old["server"], new["client"]), (new["server"], old["client"])):
        with serving(server) as port:
            assert asked(port, client) == client.name


def test_a_leaf_may_be_put_on_another_machine(tmp_path: Path, now_us: int) -> None:
    """Copied with the authority's certificate alone, which is all that an end needs."""
    files = made(tmp_path / "mtls", now_us=now_us)
    there = BundleFolder(tmp_path / "there", "core-oem")
    for path in (files.authority_path, files.certificate_path("server"), files.key_path("server")):
        write_private(there.path / path.name, path.read_bytes())
    with serving(identity_of(there, "server", now_us)) as port:
        assert asked(port, identity_of(files, "client", now_us)) == "barstep://client/loop"
