"""Bundles that somebody made to do harm, drawn by a seed. Those of `SIGNED` bear a good signature of the right key."""

from __future__ import annotations

import gzip
import io
import tarfile
import warnings
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from barstep.ops.bundles.faults import Verdict
from barstep.ops.bundles.keys import SigningKey
from barstep.ops.bundles.making import BundleFiles, files_of
from barstep.ops.bundles.manifest import File, described, signed, written_manifest
from numpy.random import Generator

MISMATCH, UNSAFE, BIG = Verdict.MEMBER_MISMATCH, Verdict.UNSAFE_MEMBER, Verdict.TOO_BIG
NAMES: dict[str, Callable[[Generator], str]] = {
    "absolute": lambda _: "/tmp/evil",  # noqa: S108 - never written
    "dot_dot": lambda draw: "../" * int(draw.integers(1, 9)) + "evil",
    "dot_dot_inside": lambda _: "fine/../../evil",
    "dot": lambda _: "./evil",
    "empty_part": lambda _: "fine//evil",
    "backslashes": lambda _: "..\\evil",
    "drive": lambda _: "C:evil",
    "device_name": lambda draw: ("CON", "nul.txt", "Lpt1")[int(draw.integers(3))],
    "hidden": lambda _: ".profile",
    "last_dot": lambda _: "evil.",
    "not_ascii": lambda _: "evil\u202egpj",
    "line_end": lambda _: "evil\nname",
    "too_long": lambda _: "x" * 201,
    "too_deep": lambda _: "/".join("abcdefghijklmn"),
}
TYPES = {"symbolic_link": tarfile.SYMTYPE, "folder": tarfile.DIRTYPE, "character_device": tarfile.CHRTYPE}
TAR_TYPES = {"hard_link": tarfile.LNKTYPE, "block_device": tarfile.BLKTYPE, "fifo": tarfile.FIFOTYPE}
OTHERS = (
    "extra", "missing", "duplicate", "same_twice", "case_collision", "file_and_folder", "too_many", "too_big", "bomb",
    "size_lie", "digest_lie", "truncated", "garbage", "nothing", "trailing",
)  # fmt: skip
ONLY_ZIP, ONLY_TAR = ("encrypted", "comment", "nul_in_name"), (*TAR_TYPES, "pax_path", "sparse")
UNBELIEVED = {
    "no_signature": Verdict.MISSING_FILES,
    "no_manifest": Verdict.MISSING_FILES,
    "signature_is_none": Verdict.UNSIGNED,
    "other_key": Verdict.WRONG_KEY,
    "edited_manifest": Verdict.EDITED_MANIFEST,
    "edited_signature": Verdict.EDITED_MANIFEST,
    "edited_archive": Verdict.EDITED_ARCHIVE,
    "longer_archive": Verdict.EDITED_ARCHIVE,
    "signed_nonsense": Verdict.NO_MANIFEST,
}
SIGNED = [(form, kind) for form in ("zip", "tar") for kind in (*NAMES, *TYPES, *OTHERS)]
SIGNED += [("zip", kind) for kind in ONLY_ZIP] + [("tar", kind) for kind in ONLY_TAR]
KINDS = [*SIGNED, *((form, kind) for form in ("zip", "tar") for kind in UNBELIEVED)]


@dataclass(frozen=True)
class Entry:
    """What is put into an archive."""

    name: str
    data: bytes = b""
    type: bytes = tarfile.REGTYPE
    listed: bool = True


@dataclass(frozen=True)
class Hostile:
    """A bundle on the disk, and what may be said of it."""

    files: BundleFiles
    verdicts: frozenset[Verdict]


def good_entries(draw: Generator) -> list[Entry]:
    """A few plain files."""
    names = [f"{'rules' if draw.random() < 0.5 else 'boards/stage4'}/file_{k}.yml" for k in range(draw.integers(2, 6))]
    return [Entry(name, draw.bytes(int(draw.integers(0, 2_000)))) for name in names]


def hostile_bundle(form: str, kind: str, seed: int, folder: Path, key: SigningKey, other: SigningKey) -> Hostile:
    """Write a hostile bundle.

    Args:
        form: `zip` or `tar`.
        kind: One of `KINDS`.
        seed: What it is drawn by.
        folder: Where its files go.
        key: The right key.
        other: Another one.
    """
    draw = np.random.default_rng(seed)
    entries, verdicts = _entries(form, kind, draw)
    archive = (_zip if form == "zip" else _tar)(entries, kind)
    archive, verdicts = _spoiled(archive, kind, draw, verdicts)
    listed = _listed(entries, kind, draw)
    files = files_of("stage4-strategies" if form == "zip" else "observability", f"0.{seed}", folder)
    manifest = _manifest(files, form, archive, listed)
    if kind == "signed_nonsense":
        manifest = manifest.replace(b'"version"', b'"verzion"')
    signature = signed(manifest, other if kind == "other_key" else key, "a-key")
    contents = {files.archive: archive, files.manifest: manifest, files.signature: signature}
    for path, data in _unbelieved(contents, files, kind, draw).items():
        path.write_bytes(data)
    return Hostile(files, frozenset([UNBELIEVED[kind]] if kind in UNBELIEVED else verdicts))


def _entries(form: str, kind: str, draw: Generator) -> tuple[list[Entry], set[Verdict]]:
    """Good entries and a bad one among them, and what may be said of it."""
    good = good_entries(draw)
    first, listed = good[0], bool(draw.random() < 0.5)
    bad: list[Entry] = []
    verdicts = {UNSAFE}
    if kind in NAMES:
        bad = [Entry(NAMES[kind](draw), b"x", listed=listed)]
    elif kind in TYPES or kind in TAR_TYPES:
        bad = [Entry("a_target", b"../../evil" if form == "zip" else b"", (TYPES | TAR_TYPES)[kind], listed=listed)]
    elif kind == "extra":
        bad, verdicts = [Entry("unlisted", b"x", listed=False)], {MISMATCH}
    elif kind in ("duplicate", "same_twice"):
        data = first.data if kind == "same_twice" else draw.bytes(20)
        bad, verdicts = [replace(first, data=data, listed=False)], {MISMATCH}
    elif kind == "case_collision":
        bad = [Entry(first.name.upper(), b"x", listed=listed)]
        verdicts = {UNSAFE} if listed else {MISMATCH}
    elif kind == "file_and_folder":
        bad = [Entry(f"{first.name}/inside", b"x")]
    elif kind == "too_many":
        bad, verdicts = [Entry(f"m{k}", b"", listed=listed) for k in range(1_001)], {BIG, MISMATCH}
    elif kind == "bomb":
        bad, verdicts = [Entry("zeros", bytes(3 << 20), listed=listed)], {BIG, MISMATCH}
    elif kind in ("nul_in_name", "encrypted"):
        bad = [Entry("good@evil" if kind == "nul_in_name" else "locked", b"x", listed=kind == "encrypted")]
    elif kind in ("pax_path", "sparse"):
        bad, verdicts = [Entry("innocent", b"x", listed=listed)], {UNSAFE, MISMATCH}
    elif kind in ("missing", "size_lie", "digest_lie", "truncated", "garbage", "nothing", "trailing", "comment"):
        verdicts = {MISMATCH}
    elif kind == "too_big":
        verdicts = {BIG}
    place = int(draw.integers(len(good) + 1)) if kind not in ("duplicate", "same_twice") else len(good)
    return [*good[:place], *bad, *good[place:]], verdicts


def _zip(entries: Sequence[Entry], kind: str) -> bytes:
    whole = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # of names that are there twice
        for entry in entries:
            info = zipfile.ZipInfo("placeholder")
            info.filename = entry.name  # the constructor would mend some
            info.create_system, info.compress_type = 3, zipfile.ZIP_DEFLATED
            modes = {tarfile.REGTYPE: 0o100644, tarfile.SYMTYPE: 0o120777, tarfile.DIRTYPE: 0o040755}
            info.external_attr = modes.get(entry.type, 0o020644) << 16
            archive.writestr(info, entry.data)
        if kind == "comment":
            archive.comment = b"PK\x05\x06 another end"
    data = whole.getvalue()
    if kind == "nul_in_name":
        data = data.replace(b"good@evil", b"good\0evil")
    if kind == "encrypted":
        place = data.rindex(b"locked") - 46  # its entry of the directory; the flags are at 8
        data = data[: place + 8] + bytes([data[place + 8] | 1]) + data[place + 9 :]
    return data


def _tar(entries: Sequence[Entry], kind: str) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for entry in entries:
            info = tarfile.TarInfo(entry.name)
            info.type, info.size = entry.type, len(entry.data)
            if entry.type in (tarfile.SYMTYPE, tarfile.LNKTYPE):
                info.linkname = "../../evil"
            if entry.name == "innocent" and kind == "pax_path":
                info.pax_headers = {"path": "../evil"}
            if entry.name == "innocent" and kind == "sparse":
                info.type = tarfile.GNUTYPE_SPARSE
            archive.addfile(info, io.BytesIO(entry.data))
    return gzip.compress(whole.getvalue(), mtime=0)


def _spoiled(data: bytes, kind: str, draw: Generator, verdicts: set[Verdict]) -> tuple[bytes, set[Verdict]]:
    """An archive whose bytes are no archive's, although they were signed."""
    if kind == "truncated":
        return data[: int(draw.integers(1, len(data)))], verdicts
    if kind == "garbage":
        return draw.bytes(int(draw.integers(1, 3_000))), verdicts | {BIG}
    if kind == "nothing":
        return b"", verdicts | {BIG}
    if kind == "trailing":
        return data + draw.bytes(30), verdicts
    return data, verdicts


def _listed(entries: Sequence[Entry], kind: str, draw: Generator) -> list[File]:
    """What the manifest says, in order."""
    listed = [described(entry.name, entry.data) for entry in entries if entry.listed]
    changed = int(draw.integers(len(listed)))
    if kind == "missing":
        listed.append(described("not_there", b""))
    elif kind == "size_lie":
        listed[changed] = _with(listed[changed], bytes=listed[changed].bytes + 1)
    elif kind == "digest_lie":
        listed[changed] = _with(listed[changed], sha384="0" * 96)
    elif kind == "too_big":
        listed[changed] = _with(listed[changed], bytes=1 << 40)
    return listed


def _manifest(files: BundleFiles, form: str, archive: bytes, listed: Sequence[File]) -> bytes:
    """A manifest that lists what its author likes, twice if need be."""
    plain = written_manifest(
        kind="stage4-strategies" if form == "zip" else "observability", version="0", key_id="a-key",
        archive=described(files.archive.name, archive), members={}, provenance={},
    )  # fmt: skip
    import msgspec  # noqa: PLC0415 - as the manifest itself is written

    return plain.replace(b'"members": []', b'"members": ' + msgspec.json.encode(listed))


def _with(file: File, **fields: object) -> File:
    return File(**{**{name: getattr(file, name) for name in File.__struct_fields__}, **fields})


def _unbelieved(contents: dict[Path, bytes], files: BundleFiles, kind: str, draw: Generator) -> dict[Path, bytes]:
    """The files as somebody without the key leaves them."""
    if kind == "no_signature":
        del contents[files.signature]
    elif kind == "no_manifest":
        del contents[files.manifest]
    elif kind == "signature_is_none":
        contents[files.signature] = draw.bytes(100)
    elif kind == "edited_manifest":
        contents[files.manifest] = contents[files.manifest].replace(b'"version": "0"', b'"version": "1"')
    elif kind == "edited_signature":
        end = contents[files.signature].rindex(b'"\n}')
        data = contents[files.signature]
        contents[files.signature] = data[: end - 2] + (b"00" if data[end - 2 : end] != b"00" else b"11") + data[end:]
    elif kind == "edited_archive":
        data, place = contents[files.archive], int(draw.integers(len(contents[files.archive])))
        contents[files.archive] = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
    elif kind == "longer_archive":
        contents[files.archive] += b"\0"
    return contents
