"""`barstep keys`: made once, rotated, shown without showing them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from barstep.config.tokens import Token
from journal_folder import keys_of, opened, written

Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def secrets_of(folder: Path) -> list[str]:
    """What no output may hold: the key material in every file of a folder."""
    texts = [path.read_text() for path in folder.rglob("*.key")]
    return [word for text in texts for word in text.replace('"', " ").split() if len(word) > 40]


def test_init_makes_keys_once_and_says_what_to_do(barstep: Run) -> None:
    """The root is to be taken off; a second time nothing is overwritten, and no key is printed."""
    made = barstep("keys", "init", "--environment", "demo")
    assert made.code == 0
    assert "Take secrets/journal/demo/root.key off this machine" in made.out
    assert made.out.count("0600 secrets/journal/demo/") == 2
    before = secrets_of(Path("secrets"))
    assert len(before) == 2
    again = barstep("keys", "init", "--environment", "demo")
    assert again.code == 2 and "root.key: is there already and is kept" in again.err
    assert secrets_of(Path("secrets")) == before
    for secret in before:
        assert secret not in made.out + again.out + again.err


def test_show_tells_names_places_and_modes(barstep: Run) -> None:
    """As text and as JSON, with the root and without; never a key."""
    key = keys_of().current()
    shown = json.loads(barstep("keys", "show", "--environment", "demo", "--json").out)["keys"]
    assert (shown["kid"], shown["epoch"], shown["root_is_here"]) == (key.kid, 0, True)
    assert [file["mode"] for file in shown["files"]] == ["0600", "0600"]
    Path("secrets/journal/demo/root.key").rename("kept.key")
    text = barstep("keys", "show", "--environment", "demo").out
    assert f"demo: root {key.kid}, epoch 0" in text and "not on this machine, as it should be" in text
    assert key.key.hex() not in text + json.dumps(shown)


def test_what_is_missing_or_not_private_is_refused(barstep: Run) -> None:
    """With exit codes 3 and 5, and a name that leads elsewhere with 2."""
    absent = barstep("keys", "show", "--environment", "demo")
    assert absent.code == 3 and "`barstep keys init` makes it" in absent.err
    keys_of().epoch_path.chmod(0o640)
    refused = barstep("keys", "show", "--environment", "demo")
    assert refused.code == 5 and "has mode 0640" in refused.err
    assert barstep("keys", "init", "--environment", "../x").code == 2
    assert barstep("keys", "init", "--environment", "demo", "--keys-folder", "elsewhere").code == 0
    assert sorted(path.name for path in Path("elsewhere").iterdir()) == ["epoch.key", "root.key"]


def test_a_rotation_without_a_journal_makes_a_new_root(barstep: Run) -> None:
    """Once the old one is off the machine."""
    old = keys_of().current()
    refused = barstep("keys", "rotate", "--environment", "demo")
    assert refused.code == 2 and f"root {old.kid} is still on the machine" in refused.err
    Path("secrets/journal/demo/root.key").rename("kept.key")
    assert barstep("keys", "rotate", "--environment", "demo").code == 0
    new = keys_of().current()
    assert new.kid != old.kid and new.epoch == 0


def test_a_rotation_seals_the_journal(barstep: Run) -> None:
    """The next segment is signed with the new key and says the same state; verifying all of it takes both roots."""
    written()
    old = keys_of().current()
    Path("secrets/journal/demo/root.key").rename("old.key")
    assert barstep("keys", "rotate", "--environment", "demo").code == 0
    Path("secrets/journal/demo/root.key").rename("new.key")
    assert keys_of().current().kid != old.kid
    checkpoint = json.loads(Path("audit/decision_logs/demo.jsonl").read_text())
    assert (checkpoint["kind"], checkpoint["state"], checkpoint["epoch"]) == ("checkpoint", {"equity": 0.1}, 0)
    Path().chmod(0o700)
    verify = ("decision-log", "verify", "--json")
    both = json.loads(barstep(*verify, "--root-key", "old.key", "--root-key", "new.key").out)
    assert [fault["verdict"] for fault in both["faults"]] == ["UNWITNESSED"]
    assert both["signed"] == both["records"] == 11
    one = json.loads(barstep(*verify, "--root-key", "new.key").out)
    assert [fault["verdict"] for fault in one["faults"]] == ["UNVERIFIED", "UNVERIFIED", "UNWITNESSED"]


def test_a_rotation_waits_for_the_loop(barstep: Run) -> None:
    """Held by one, it exits with 6; where one was killed, only it can say its state, and nothing is changed."""
    written()
    Path("secrets/journal/demo/root.key").rename("old.key")
    with opened() as journal:
        held = barstep("keys", "rotate", "--environment", "demo")
        assert held.code == 6 and "another process writes" in held.err
        journal.append_record({"kind": "bars", "at": "2024-01-01T00:00:00.000000Z", "count": 1})
        journal.commit()
    before = {path.name: path.read_bytes() for path in Path("audit/decision_logs").iterdir()}
    refused = barstep("keys", "rotate", "--environment", "demo")
    assert refused.code == 2 and "the loop has not ended in order" in refused.err
    assert {path.name: path.read_bytes() for path in Path("audit/decision_logs").iterdir()} == before
    assert not Path("secrets/journal/demo/root.key").exists()


def test_a_token_is_shown_once_with_its_entry(barstep: Run) -> None:
    """256 bits, whose SHA-384 is what the configuration keeps; nothing is written."""
    document = json.loads(barstep("keys", "token", "--id", "desk-1", "--json").out)
    token, entry = document["token"], document["rbac_tokens"][0]
    assert len(bytes.fromhex(token)) == 32
    assert entry["sha384"] == hashlib.sha384(token.encode()).hexdigest()
    assert Token(**entry).scopes == ["runtime.schedule.read", "runtime.schedule.write"]
    text = barstep("keys", "token", "--id", "viewer", "--scope", "runtime.schedule.read").out
    assert "  - {id: viewer, scopes: [runtime.schedule.read], sha384: " in text
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("words", "text"),
    [(("--id", "a b"), "allowed are letters"), (("--id", "x", "--scope", "runtime.schedule.rite"), "Did you mean")],
)
def test_a_token_of_no_name_or_scope_is_refused(barstep: Run, words: tuple[str, ...], text: str) -> None:
    """Before anything is made."""
    ran = barstep("keys", "token", *words)
    assert ran.code == 2 and text in ran.err and ran.out == ""
