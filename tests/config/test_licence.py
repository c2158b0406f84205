"""Licences: what is granted, by whom, and what an edit of a file does."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from barstep.config import licence as room
from barstep.config.licence import Licence, active_licence, read_licence, sign_licence
from barstep.engine.builtin import BUILTIN_ENGINES
from barstep.engine.guard import CapabilityGuard
from barstep.errors import AuthorizationError, UsageError
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

ACME = Licence(holder="Acme", capabilities=["strategy.grid_trading", "strategy.own"])


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The private key of an issuer `acme`, whose public key is known."""
    private = Ed25519PrivateKey.generate()
    issuers = tmp_path / "issuers"
    issuers.mkdir()
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (issuers / "acme.pem").write_bytes(public)
    monkeypatch.setenv(room.ISSUERS_VARIABLE, str(issuers))
    path = tmp_path / "private.pem"
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


@pytest.fixture
def file(tmp_path: Path, key: Path) -> Path:
    """A licence signed by `acme`."""
    path = tmp_path / "licence.json"
    path.write_bytes(sign_licence(ACME, "acme", key))
    return path


def test_the_licence_that_comes_with_barstep_allows_its_engines() -> None:
    """All six, signed by the demo issuer."""
    licence = active_licence()
    assert licence.holder == "barstep demo"
    assert sorted(licence.capabilities) == sorted(engine.capability for engine in BUILTIN_ENGINES)


def test_a_signed_licence_is_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its path, and by the variable that puts it in force."""
    assert read_licence(file) == ACME
    monkeypatch.setenv(room.LICENCE_VARIABLE, str(file))
    assert active_licence() == ACME


def test_order_and_spaces_do_not_matter(file: Path) -> None:
    """The signature is over what is said, however it is laid out."""
    document = json.loads(file.read_text())
    document["licence"]["capabilities"].reverse()
    file.write_text(json.dumps(document, indent=7))
    assert sorted(read_licence(file).capabilities) == sorted(ACME.capabilities)


@pytest.mark.parametrize("place", [("licence", "holder"), ("licence", "capabilities"), ("signature",)])
def test_an_edit_is_noticed(file: Path, place: tuple[str, ...]) -> None:
    """Another holder, one capability more, one bit of the signature: refused."""
    document = json.loads(file.read_text())
    if place == ("signature",):
        signature = bytearray(base64.b64decode(document["signature"]))
        signature[5] ^= 1
        document["signature"] = base64.b64encode(signature).decode()
    elif place[-1] == "holder":
        document["licence"]["holder"] = "Acmee"
    else:
        document["licence"]["capabilities"].append("strategy.mean_reversion")
    file.write_text(json.dumps(document))
    with pytest.raises(AuthorizationError, match="'acme' did not sign this licence"):
        read_licence(file)


def test_the_key_of_another_does_not_do(file: Path) -> None:
    """Saying that the demo issuer signed it makes it no licence of the demo issuer."""
    document = json.loads(file.read_text()) | {"issuer": "barstep-demo"}
    file.write_text(json.dumps(document))
    with pytest.raises(AuthorizationError, match="'barstep-demo' did not sign this licence"):
        read_licence(file)


def test_no_folder_of_keys_takes_the_place_of_one_that_is_shipped(file: Path, key: Path, tmp_path: Path) -> None:
    """A key named like the demo issuer's beside one's own issuers is not looked at."""
    (tmp_path / "issuers" / "barstep-demo.pem").write_bytes((tmp_path / "issuers" / "acme.pem").read_bytes())
    file.write_bytes(sign_licence(ACME, "barstep-demo", key))
    with pytest.raises(AuthorizationError, match="'barstep-demo' did not sign"):
        read_licence(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no licence file"),
        ("{}", "missing required field `licence`"),
        ('{"licence": {"holder": "", "capabilities": []}, "issuer": "acme", "signature": ""}', "length >= 1"),
        (
            '{"licence": {"holder": "a", "capabilities": [], "x": 1}, "issuer": "acme", "signature": ""}',
            "unknown field",
        ),
        ('{"licence": {"holder": "a", "capabilities": []}, "issuer": "acme", "signature": "?"}', "is no licence file"),
        ('{"licence": {"holder": "a", "capabilities": []}, "issuer": "acne", "signature": ""}', "Did you mean 'acme'?"),
        ('{"licence": {"holder": "a", "capabilities": []}, "issuer": "acme", "signature": ""}', "did not sign"),
    ],
)
def test_a_file_that_is_no_licence(tmp_path: Path, key: Path, text: str, message: str) -> None:
    """It says why; nothing is granted."""
    path = tmp_path / "licence.json"
    path.write_text(text)
    with pytest.raises(AuthorizationError) as refused:
        read_licence(path)
    assert message in str(refused.value)


def test_a_missing_licence_grants_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that leads nowhere is an error, not the demo licence."""
    monkeypatch.setenv(room.LICENCE_VARIABLE, str(tmp_path / "gone.json"))
    with pytest.raises(AuthorizationError, match=r"gone\.json: cannot be read: No such file or directory\.$"):
        active_licence()


def test_only_an_ed25519_key_signs(tmp_path: Path, key: Path) -> None:
    """Another kind of key, or no key, is refused."""
    other = tmp_path / "ec.pem"
    private = generate_private_key(SECP256R1())
    other.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(UsageError, match="it must be an Ed25519 key"):
        sign_licence(ACME, "acme", other)
    with pytest.raises(UsageError, match="is no private key"):
        sign_licence(ACME, "acme", tmp_path / "issuers" / "acme.pem")
    (tmp_path / "issuers" / "acme.pem").write_bytes(
        private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    path = tmp_path / "licence.json"
    path.write_bytes(sign_licence(ACME, "acme", key))
    with pytest.raises(AuthorizationError, match="it must be an Ed25519 key"):
        read_licence(path)


def test_the_guard_lets_through_what_is_granted() -> None:
    """A strategy without a capability needs none; one that is near is named."""
    guard = CapabilityGuard(ACME.capabilities)
    guard.require_strategy("grid", "strategy.grid_trading")
    guard.require_strategy("own", "")
    with pytest.raises(AuthorizationError) as refused:
        guard.require_strategy("grid", "strategy.grid_tradng")
    assert str(refused.value) == (
        "grid: the licence does not grant 'strategy.grid_tradng'. Did you mean 'strategy.grid_trading'? "
        "Granted: strategy.grid_trading, strategy.own."
    )
    with pytest.raises(AuthorizationError, match="Granted: nothing"):
        CapabilityGuard([]).require_strategy("grid", "strategy.grid_trading")
