"""What is told of a bundle: how long it lasts and all that is wrong, never a key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from barstep.errors import DataError
from barstep.replay.certificate_report import BundleReport, describe_bundle
from barstep.replay.certificates import rotate_bundle
from bundle_making import DAY_US, NOW_US, made


def described(folder: Path, now_us: int = NOW_US) -> BundleReport:
    return describe_bundle(folder, "core-oem", now_us=now_us)


def test_a_good_bundle_is_told_with_its_days(tmp_path: Path) -> None:
    """Authority, server and client, each with its name, its end, its modes, its key and its chain."""
    files = made(tmp_path / "mtls")
    report = described(tmp_path / "mtls", NOW_US + DAY_US)
    assert report.is_good and report.authority_key_is_here and not report.is_overlapping
    assert [(one.role, one.days_left, one.mode, one.key_mode) for one in report.certificates] == [
        ("authority", 729.0, "0600", "0600"), ("server", 89.0, "0600", "0600"), ("client", 89.0, "0600", "0600"),
    ]  # fmt: skip
    assert [one.name for one in report.certificates][1:] == ["localhost", "barstep://client/loop"]
    assert all(one.key_matches and one.chain_holds for one in report.certificates)
    assert report.certificates[1].ends_us == NOW_US + 90 * DAY_US
    assert {one.issuer for one in report.certificates} == {report.certificates[0].name}
    document = json.dumps(report.to_dict())
    assert json.loads(document)["status"] == "ok"
    for role in ("server", "client"):
        assert files.key_path(role).read_text().splitlines()[1] not in document


def test_without_the_authoritys_key_and_one_end_it_is_good(tmp_path: Path) -> None:
    """That is how a bundle is on a machine of the one end."""
    files = made(tmp_path / "mtls")
    for path in (files.authority_key_path, files.key_path("server"), files.certificate_path("server")):
        path.unlink()
    report = described(tmp_path / "mtls")
    assert report.is_good and not report.authority_key_is_here
    assert [one.role for one in report.certificates] == ["authority", "client"]
    assert report.certificates[0].key_path is None and report.certificates[0].key_matches is None


def test_an_overlap_is_told_until_it_has_expired(tmp_path: Path) -> None:
    """The previous authority stands between; once it has expired it is to be let go."""
    files = made(tmp_path / "mtls")
    rotate_bundle(files, with_authority=True, now_us=NOW_US + 700 * DAY_US)
    report = described(tmp_path / "mtls", NOW_US + 700 * DAY_US)
    assert report.is_good and report.is_overlapping
    assert [one.role for one in report.certificates] == ["authority", "previous", "server", "client"]
    (fault,) = described(tmp_path / "mtls", NOW_US + 740 * DAY_US).faults
    assert "previous-ca.pem: the previous authority has expired" in fault and "--finish` ends it" in fault


def test_everything_that_is_wrong_is_told(tmp_path: Path) -> None:
    """Not the first thing only, and what could not be read without an end."""
    files = made(tmp_path / "mtls")
    files.key_path("server").write_bytes(files.key_path("client").read_bytes())
    files.certificate_path("client").chmod(0o644)
    files.authority_key_path.write_bytes(files.key_path("client").read_bytes())
    report = described(tmp_path / "mtls", NOW_US + 100 * DAY_US)
    assert not report.is_good and report.to_dict()["status"] == "fail"
    assert [[word in fault for word in ("ca.key: is not", "expired", "server.key: is not", "mode 0644")].index(True)
            for fault in report.faults] == [0, 1, 2, 3]  # fmt: skip
    authority, server, client = report.certificates
    assert authority.key_matches is False
    assert (server.key_matches, server.chain_holds, server.days_left) == (False, True, -10.0)
    assert (client.mode, client.days_left, client.name) == ("0644", None, "")


def test_another_authoritys_leaf_is_told(tmp_path: Path) -> None:
    """Its chain does not hold."""
    files = made(tmp_path / "mtls")
    foreign = made(tmp_path / "mtls", "foreign")
    for path in (files.certificate_path("client"), files.key_path("client")):
        path.write_bytes((foreign.path / path.name).read_bytes())
    report = described(tmp_path / "mtls")
    assert report.certificates[2].chain_holds is False
    assert "is not the authority of bundle 'core-oem'" in report.faults[0]


def test_half_an_end_and_no_end_are_wrong(tmp_path: Path) -> None:
    """A certificate without its key, and an authority alone."""
    files = made(tmp_path / "mtls")
    files.key_path("client").unlink()
    (fault,) = described(tmp_path / "mtls").faults
    assert "client.key: no such file" in fault
    for path in (files.certificate_path("client"), files.key_path("server"), files.certificate_path("server")):
        path.unlink()
    (fault,) = described(tmp_path / "mtls").faults
    assert "neither a server's nor a client's certificate is here" in fault


def test_a_bundle_that_is_not_there_is_no_report(tmp_path: Path) -> None:
    """It is said how to make it."""
    with pytest.raises(DataError, match="keys init --mtls-bundle core-oem"):
        described(tmp_path)
