"""What may be asked of a loop, and what it needs."""

from __future__ import annotations

from typing import get_args

import pytest
from barstep.config.commands import AnyCommand
from barstep.config.tokens import Scope
from barstep.errors import UsageError
from barstep.replay.authorization import READ, WRITE
from barstep.replay.control import verbs


def test_every_command_is_a_verb_that_needs_the_scope_to_write() -> None:
    """By reflection over the commands: a new one is refused until it stands in the table."""
    tags = {str(command.__struct_config__.tag) for command in get_args(AnyCommand)}
    assert tags == set(verbs.COMMANDS)
    assert {verbs.SCOPES[tag] for tag in tags} == {WRITE}


def test_each_verb_stands_once_and_needs_a_scope_that_there_is() -> None:
    """Reading, commands and the others share no name, and only reading needs the lesser scope."""
    every = [*verbs.READING, *verbs.COMMANDS, *verbs.OTHERS]
    assert len(every) == len(set(every)) == len(verbs.SCOPES)
    assert set(verbs.SCOPES.values()) == set(get_args(Scope))
    assert {verb for verb, scope in verbs.SCOPES.items() if scope == READ} == set(verbs.READING)


def test_what_is_not_listed_is_refused() -> None:
    """With the near name."""
    with pytest.raises(UsageError, match=r"unknown verb 'halted'\. Did you mean 'halt'"):
        verbs.scope_of("halted")
