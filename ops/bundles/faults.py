"""What can be wrong with a bundle."""

from __future__ import annotations

from enum import StrEnum

from ...errors import JournalError


class Verdict(StrEnum):
    """What is wrong; docs/bundles.md says when which is told."""

    MISSING_FILES = "MISSING FILES"
    UNSIGNED = "UNSIGNED"
    WRONG_KEY = "WRONG KEY"
    EDITED_MANIFEST = "EDITED MANIFEST"
    NO_MANIFEST = "NO MANIFEST"
    EDITED_ARCHIVE = "EDITED ARCHIVE"
    UNSAFE_MEMBER = "UNSAFE MEMBER"
    MEMBER_MISMATCH = "MEMBER MISMATCH"
    TOO_BIG = "TOO BIG"


class BundleError(JournalError):
    """A bundle that is not believed.

    Attributes:
        verdict: What is wrong.
        where: The file or the member.
        text: It in words.
    """

    def __init__(self, verdict: Verdict, where: str, text: str) -> None:
        self.verdict, self.where, self.text = verdict, where, text
        shown = where if where.isprintable() else ascii(where)
        super().__init__(f"{verdict} {shown}: {text}")
