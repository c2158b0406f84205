"""`barstep keys --mtls-bundle`: certificates made, shown, rotated with an overlap, and refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from barstep.replay.certificate_files import BundleFolder
from barstep.replay.certificates import init_bundle, load_identity
from barstep.replay.clock import SystemClock

Run = Callable[..., Any]
BUNDLE = ("--mtls-bundle", "core-oem")
HOME = Path("secrets/mtls")


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, which is private."""
    tmp_path.chmod(0o700)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_bundle_is_made_with_its_names(barstep: Run) -> None:
    """The defaults are this machine and the bundle's name; no key is printed, and it is said where the root belongs."""
    ran = barstep("keys", "init", *BUNDLE)
    assert ran.code == 0
    assert "localhost" in ran.out and "barstep://client/core-oem" in ran.out and "90.0" in ran.out
    assert "Take secrets/mtls/core-oem/ca.key off this machine" in ran.out
    for path in (HOME / "core-oem").glob("*.key"):
        assert path.read_text().splitlines()[1] not in ran.out
    assert (
        barstep("keys", "init", "--mtls-bundle", "b", "--host", "10.0.0.7", "--client", "desk", "--days", "7").code == 0
    )
    now_us = SystemClock().now_us()
    assert load_identity(HOME, "b", "server", now_us=now_us).name == "10.0.0.7"
    assert load_identity(HOME, "b", "client", now_us=now_us).name == "barstep://client/desk"
    shown = json.loads(barstep("keys", "show", "--mtls-bundle", "b", "--json").out)["mtls_bundle"]
    assert 6.99 < shown["certificates"][1]["days_left"] < 7.01


def test_what_is_there_is_kept(barstep: Run) -> None:
    """A second `init` exits with 2."""
    barstep("keys", "init", *BUNDLE)
    before = {path: path.read_bytes() for path in HOME.rglob("*.*")}
    again = barstep("keys", "init", *BUNDLE)
    assert again.code == 2 and "is there already and is kept. `barstep keys rotate --mtls-bundle core-oem`" in again.err
    assert {path: path.read_bytes() for path in HOME.rglob("*.*")} == before


def test_show_exits_with_one_where_something_is_wrong(barstep: Run) -> None:
    """An expired certificate and an open file are told as text and as JSON."""
    ended_us = SystemClock().now_us() - 91 * 86_400_000_000
    init_bundle(BundleFolder(HOME, "core-oem"), host="localhost", client="loop", now_us=ended_us)
    (HOME / "core-oem" / "ca.key").unlink()
    (HOME / "core-oem" / "server.key").chmod(0o640)
    text = barstep("keys", "show", *BUNDLE)
    assert text.code == 1 and text.out.count("wrong: ") == 2
    assert "-1.0" in text.out and "client.pem: expired at" in text.out and "0640" in text.out
    assert "The authority's key is not on this machine, as it should be." in text.out
    document = barstep("keys", "show", *BUNDLE, "--json")
    assert document.code == 1
    told = json.loads(document.out)["mtls_bundle"]
    assert told["status"] == "fail" and len(told["faults"]) == 2 and not told["authority_key_is_here"]


def test_a_rotation_makes_new_certificates(barstep: Run) -> None:
    """Under the authority that is there, also from where its key is kept."""
    barstep("keys", "init", *BUNDLE)
    before = {path.name: path.read_bytes() for path in (HOME / "core-oem").iterdir()}
    (HOME / "core-oem" / "ca.key").rename("kept.key")
    refused = barstep("keys", "rotate", *BUNDLE)
    assert refused.code == 3 and "--authority-key FILE names it where it is kept" in refused.err
    ran = barstep("keys", "rotate", *BUNDLE, "--authority-key", "kept.key")
    assert ran.code == 0 and "as it should be" in ran.out
    after = {path.name: path.read_bytes() for path in (HOME / "core-oem").iterdir()}
    assert after["ca.pem"] == before["ca.pem"] and after["server.pem"] != before["server.pem"]


def test_an_authority_is_followed_and_let_go(barstep: Run) -> None:
    """Two are trusted in between, which is said with what ends it."""
    barstep("keys", "init", *BUNDLE)
    ran = barstep("keys", "rotate", *BUNDLE, "--authority")
    assert ran.code == 0 and "previous" in ran.out
    assert "Two authorities are trusted." in ran.out and "keys rotate --mtls-bundle core-oem --finish" in ran.out
    assert barstep("keys", "rotate", *BUNDLE, "--authority").code == 2
    done = barstep("keys", "rotate", *BUNDLE, "--finish", "--json")
    told = json.loads(done.out)["mtls_bundle"]
    assert done.code == 0 and not told["is_overlapping"] and len(told["certificates"]) == 3
    assert barstep("keys", "rotate", *BUNDLE, "--finish").code == 2


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("show",), 2, "name either --environment (its signing keys) or --mtls-bundle (its certificates)"),
        (("show", *BUNDLE, "--environment", "demo"), 2, "name either --environment"),
        (("show", *BUNDLE), 3, "secrets/mtls/core-oem: no such bundle. `barstep keys init --mtls-bundle core-oem`"),
        (("rotate", *BUNDLE), 3, "no such bundle"),
        (("rotate", *BUNDLE, "--finish"), 3, "no such bundle"),
        (("rotate", *BUNDLE, "--finish", "--host", "x"), 2, "--host does not go with --finish"),
        (("rotate", "--environment", "demo", "--finish"), 2, "--finish does not go with --environment"),
        (("rotate", *BUNDLE, "--journal-folder", "x"), 2, "--journal-folder does not go with --mtls-bundle"),
        (("init", *BUNDLE, "--keys-folder", "x"), 2, "--keys-folder does not go with --mtls-bundle"),
        (("init", "--environment", "demo", "--days", "3"), 2, "--days does not go with --environment"),
        (("init", "--mtls-bundle", "../x"), 2, "allowed are up to 40 letters, digits, _ and -"),
        (("init", *BUNDLE, "--host", "a:1"), 2, "--host 'a:1': allowed is one IP address or one host name"),
        (("init", *BUNDLE, "--client", "a/b"), 2, "--client 'a/b': allowed are"),
    ],
)
def test_wrong_words_make_nothing(words: tuple[str, ...], code: int, text: str, barstep: Run) -> None:
    """One line, its exit code, and no file."""
    ran = barstep("keys", *words)
    assert (ran.code, ran.out) == (code, "") and text in ran.err
    assert list(Path().iterdir()) == []
