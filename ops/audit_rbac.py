"""Whether somebody who should can manage a scheduler, and nobody else: its tokens, and the secrets behind them.

No secret is in what is told, nor its digest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from ..config.durations import instant_at
from ..config.schedulers import Scheduler
from ..config.tokens import Scope, Token
from ..errors import DataError, JournalError
from ..replay.authorization import read_token, token_path
from .audit_report import Finding, Looked, Severity, finding_of

SHORTEST_SECRET, LEAST_CHARACTERS = 32, 8
"""Of a token that nobody guesses: its length, and how many characters differ; `barstep keys token` makes 64 digits."""
SOON_DAYS = 14

MissingSecrets = Literal["issue", "warning", "judged"]
"""What a variable is that is not set; `judged`: an issue where nobody else's token grants what is required."""


class SchedulerTokens:
    """The tokens of one scheduler.

    Args:
        name: The scheduler's.
        scheduler: As it is configured.
        required: The scope that somebody has to have.
        environ: The environment variables.
        folder: Where a demonstration's tokens lie as files; None: it is none.
        missing: What a secret is that is not there.
        now_us: The time.
    """

    def __init__(
        self,
        name: str,
        scheduler: Scheduler,
        *,
        required: Scope,
        environ: Mapping[str, str],
        folder: Path | None,
        missing: MissingSecrets,
        now_us: int,
    ) -> None:
        self._name, self._tokens, self._required = name, scheduler.rbac_tokens, required
        self._environ, self._folder, self._missing = environ, folder, missing
        self._now = instant_at(now_us)

    def look(self) -> Looked:
        """Look at every entry, and at what they grant together."""
        told, findings = [], []
        for token in self._tokens:
            state, found = self._secret(token)
            told.append(self._told(token, state))
            findings += [*found, *self._expiry(token)]
        granting = [token.id for token in self._tokens if self._required in token.scopes and not self._is_over(token)]
        usable = [one["id"] for one in told if one["id"] in granting and one["held"] != "missing"]
        findings += self._missing_secrets(told, usable)
        if not granting:
            findings.append(self._granted_by_none())
        values = {"required_scope": self._required, "granted_by": granting, "usable_here": usable, "tokens": told}
        return Looked(values=values, findings=tuple(findings))

    def _secret(self, token: Token) -> tuple[str, list[Finding]]:
        """Where an entry's secret is, and what is wrong with it."""
        if token.sha384 is not None:
            return "hashed", []
        secret = self._environ.get(token.env or "", "").strip()
        where = f"variable {token.env}"
        state = "set"
        path = None if self._folder is None else token_path(self._folder, token.id)
        if not secret and path is not None and path.exists():
            state, where = "file", str(path)
            try:
                secret = read_token(path)
            except (DataError, JournalError) as error:
                return "file", [finding_of("issue", error)]
        if not secret:
            return "missing", []
        if len(secret) >= SHORTEST_SECRET and len(set(secret)) >= LEAST_CHARACTERS:
            return state, []
        text = (
            f"token {token.id!r} of scheduler {self._name!r} is weak: fewer than {SHORTEST_SECRET} characters, or "
            f"fewer than {LEAST_CHARACTERS} different ones."
        )
        severity: Severity = "issue" if self._folder is None else "warning"
        return state, [Finding(severity=severity, where=where, text=text, mend=self._anew(token))]

    def _missing_secrets(self, told: list[dict[str, Any]], usable: list[str]) -> Iterator[Finding]:
        severity: Severity = "warning"
        if self._missing == "issue" or (self._missing == "judged" and not usable and self._folder is None):
            severity = "issue"
        for one in told:
            if one["held"] == "missing":
                mend = f"Set {one['variable']}, or remove the entry."
                if self._folder is not None:
                    mend = f"Set {one['variable']}; a demonstration that is started makes a token of its own."
                text = f"token {one['id']!r} of scheduler {self._name!r} lets nobody in: the variable is not set."
                yield Finding(severity=severity, where=f"variable {one['variable']}", text=text, mend=mend)

    def _expiry(self, token: Token) -> Iterator[Finding]:
        if token.expires is None:
            return
        days = (token.expires - self._now).total_seconds() / 86_400
        if days < SOON_DAYS:
            what = f"expired at {token.expires:%Y-%m-%d}" if days <= 0 else f"expires in {days:.1f} days"
            where = f"token {token.id!r} of scheduler {self._name!r}"
            yield Finding(severity="warning", where=where, text=f"{what}.", mend=self._anew(token))

    def _granted_by_none(self) -> Finding:
        if not self._tokens:
            text = "has no rbac_tokens: it lets nobody in."
        else:
            text = f"no token that has not expired grants {self._required}."
        mend = f"`barstep keys token --id NAME --scope {self._required}` makes one, and the entry for rbac_tokens."
        return Finding(severity="issue", where=f"scheduler {self._name!r}", text=text, mend=mend)

    def _told(self, token: Token, state: str) -> dict[str, Any]:
        return {
            "id": token.id,
            "scopes": list(token.scopes),
            "variable": token.env,
            "held": state,
            "expires": None if token.expires is None else token.expires.isoformat(),
        }

    def _is_over(self, token: Token) -> bool:
        return token.expires is not None and self._now >= token.expires

    def _anew(self, token: Token) -> str:
        return f"`barstep keys token --id {token.id}` makes another."
