"""Who is on duty: `ops/oncall_rotation.yaml`, read as strictly as the configuration."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec.inspect as kinds
from msgspec import Meta

from ..config.durations import instant_at
from ..config.fields import Name, Positive, Text
from ..config.files import read_file
from ..config.problems import Problem
from ..config.section import Section
from ..config.walking import Walk
from ..errors import ConfigError, UsageError, unknown_name

ROTATION = Path("ops/oncall_rotation.yaml")
"""Where it is looked for, under the working folder."""
_WEEK = timedelta(days=7)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Person(Section, frozen=True, kw_only=True):
    """Somebody who can be called."""

    name: Text
    slack: Text
    phone: Text


class Level(Section, frozen=True, kw_only=True):
    """A step of escalation.

    Attributes:
        role: What it does.
        answers_within_minutes: How soon an answer is due.
        channel: Where it is told.
        mention: Whom the channel is to alert.
        rota: Who takes turns, a week each.
    """

    role: Text
    answers_within_minutes: Positive
    channel: Text
    mention: Text
    rota: Annotated[list[Person], Meta(min_length=1)]


class Handover(Section, frozen=True, kw_only=True):
    """When the next one takes over."""

    weekday: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    time: Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$", description="hours and minutes, as 09:00")]


class Rotation(Section, frozen=True, kw_only=True):
    """All of it.

    Attributes:
        timezone: Of the handover.
        handover: When the next one takes over.
        rota_begins: The day on which the first of each rota was on duty.
        levels: In the order of escalation.
    """

    timezone: Text
    handover: Handover
    rota_begins: Annotated[str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description="a day, as 2026-01-05")]
    levels: Annotated[dict[Name, Level], Meta(min_length=1, extra={"ordered": True})]


def read_rotation(path: Path) -> Rotation:
    """Read the rota.

    Raises:
        ConfigError: It is not there, or is refused; everything that is wrong is told.
    """
    tree = read_file(path)
    walk = Walk({})
    rotation: Rotation = walk.read(tree.root, kinds.type_info(Rotation), ())
    read = tree.with_problems([*tree.problems, *walk.problems] if walk.problems else [])
    if not read.errors:
        read = read.with_problems(_contradictions(rotation))
    if read.errors:
        raise ConfigError(read.errors)
    return rotation


def on_duty(rotation: Rotation, level: str, now_us: int) -> Person:
    """Who of a level is on duty.

    Raises:
        UsageError: There is no such level.
    """
    if level not in rotation.levels:
        raise UsageError(unknown_name("level", level, rotation.levels))
    first_day = date.fromisoformat(rotation.rota_begins)
    ahead = (_WEEKDAYS.index(rotation.handover.weekday) - first_day.weekday()) % 7
    first = datetime.combine(first_day + timedelta(days=ahead), time.fromisoformat(rotation.handover.time))
    local = instant_at(now_us).astimezone(ZoneInfo(rotation.timezone)).replace(tzinfo=None)  # as clocks on the wall say
    rota = rotation.levels[level].rota
    return rota[(local - first) // _WEEK % len(rota)]


def _contradictions(rotation: Rotation) -> list[Problem]:
    problems = []
    try:
        ZoneInfo(rotation.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        text = f"is {rotation.timezone!r}; allowed is a zone of the IANA database, such as UTC or Europe/Warsaw."
        problems.append(Problem(path=("timezone",), text=text))
    try:
        date.fromisoformat(rotation.rota_begins)
    except ValueError:
        text = f"is {rotation.rota_begins!r}; there is no such day."
        problems.append(Problem(path=("rota_begins",), text=text))
    return problems
