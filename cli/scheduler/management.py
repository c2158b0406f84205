"""What the management flags ask for, as commands in the order in which they are given."""

# ruff: noqa: PLC0415 - imported when a command runs, see `cli.app`

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from ...errors import ConfigError, UsageError

Call: TypeAlias = tuple[str, dict[str, Any]]
"""A verb and its fields."""

_LIMIT = re.compile(r"([^:=\s]+):([^:=\s]+)=([0-9]{1,9})", re.ASCII)
_PAIR = re.compile(r"([^:=\s]+):([^:=\s]+)", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Why something holds, and until when, as it was typed.

    Attributes:
        flag: What its three flags begin with: `--suspension`.
        reason: The reason; None where none was given.
        until: An instant.
        duration: A length of time.
    """

    flag: str
    reason: str | None
    until: str | None
    duration: str | None

    def fields(self) -> dict[str, Any]:
        """What a command takes of it.

        Raises:
            UsageError: A time is none, or both ends are given.
        """
        from ...config.durations import parse_duration, parse_instant

        if self.until is not None and self.duration is not None:
            raise UsageError(f"{self.flag}-until and {self.flag}-duration: give one of them.")
        end = None if self.until is None else told(f"{self.flag}-until", parse_instant, self.until).isoformat()
        seconds = None if self.duration is None else told(f"{self.flag}-duration", parse_duration, self.duration)
        return {"reason": self.reason or "", "until": end, "duration_seconds": seconds}

    def refuse_without(self, needed: str, *, reason_too: bool = True) -> None:
        """Raise UsageError where it was given with nothing that it could be for."""
        given = {"reason": self.reason if reason_too else None, "until": self.until, "duration": self.duration}
        for name, value in given.items():
            if value is not None:
                raise UsageError(f"{self.flag}-{name}: only with {needed}.")


@dataclass(frozen=True, kw_only=True)
class Management:
    """What the flags that change something say, each as it was typed."""

    suspend_schedule: Sequence[str]
    suspend_tag: Sequence[str]
    resume_schedule: Sequence[str]
    resume_tag: Sequence[str]
    suspension: Timing
    set_signal_limit: Sequence[str]
    clear_signal_limit: Sequence[str]
    signal_limit: Timing
    disable_strategy: Sequence[str]
    enable_strategy: Sequence[str]
    set_capital_policy: Path | None
    skip_policy_rebalance: bool
    apply_policy_interval: bool
    set_allocation_interval: str | None
    rebalance_capital: bool

    def calls(self) -> list[Call]:
        """The commands: what ends comes before what begins, and capital last.

        Raises:
            UsageError: A flag has nothing that it could be for, or its value is not what is allowed.
            ConfigError: The file of a policy is refused.
        """
        self._refuse_idle()
        return [*self._ending(), *self._beginning(), *self._capital()]

    def _refuse_idle(self) -> None:
        holds = self.suspend_schedule or self.suspend_tag
        if not holds:
            self.suspension.refuse_without("--suspend-schedule or --suspend-tag", reason_too=not self.disable_strategy)
        if not self.set_signal_limit:
            self.signal_limit.refuse_without("--set-signal-limit")
        given = {
            "--skip-policy-rebalance": self.skip_policy_rebalance,
            "--apply-policy-interval": self.apply_policy_interval,
        }
        for flag, is_given in given.items():
            if is_given and self.set_capital_policy is None:
                raise UsageError(f"{flag}: only with --set-capital-policy PATH.")

    def _ending(self) -> Iterator[Call]:
        for name in self.resume_schedule:
            yield "resume_schedule", {"schedule": name}
        for name in self.resume_tag:
            yield "resume_tag", {"tag": name}
        for name in self.enable_strategy:
            yield "enable_strategy", {"strategy": name}
        for text in self.clear_signal_limit:
            strategy, profile = _matched(
                "--clear-signal-limit", _PAIR, text, "STRATEGY:PROFILE", "trend_engine:balanced"
            )
            yield "clear_signal_limit", {"strategy": strategy, "profile": profile}

    def _beginning(self) -> Iterator[Call]:
        timed = self.suspension.fields()
        for name in self.suspend_schedule:
            yield "suspend_schedule", {"schedule": name, **timed}
        for name in self.suspend_tag:
            yield "suspend_tag", {"tag": name, **timed}
        for name in self.disable_strategy:
            yield "disable_strategy", {"strategy": name, "reason": timed["reason"]}
        timed = self.signal_limit.fields()
        for text in self.set_signal_limit:
            strategy, profile, limit = _matched(
                "--set-signal-limit", _LIMIT, text, "STRATEGY:PROFILE=LIMIT", "trend_engine:balanced=3"
            )
            yield "set_signal_limit", {"strategy": strategy, "profile": profile, "limit": int(limit), **timed}

    def _capital(self) -> Iterator[Call]:
        from ...config.durations import parse_duration

        if self.set_capital_policy is not None:
            options = {"rebalance": not self.skip_policy_rebalance, "apply_policy_interval": self.apply_policy_interval}
            yield "set_capital_policy", {"policy": _read_policy(self.set_capital_policy), **options}
        if self.set_allocation_interval is not None:
            seconds = told("--set-allocation-interval", parse_duration, self.set_allocation_interval)
            yield "set_allocation_rebalance_seconds", {"seconds": seconds}
        if self.rebalance_capital:
            yield "rebalance_capital", {}


def told(flag: str, read: Any, text: str) -> Any:
    """What a flag's text says; an error names the flag."""
    try:
        return read(text)
    except UsageError as error:
        raise UsageError(f"{flag}: {error}.") from None


def _matched(flag: str, pattern: re.Pattern[str], text: str, form: str, example: str) -> tuple[str, ...]:
    match = pattern.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{flag} {text!r}: write {form}, such as {example}.")
    return match.groups()


def _read_policy(path: Path) -> Any:
    import msgspec

    from ...config.policy_file import read_policy_file

    read = read_policy_file(path)
    if read.errors:
        raise ConfigError(read.errors)
    return msgspec.to_builtins(read.policy)
