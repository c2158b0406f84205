"""Which environment a name, an alias or a type means."""

from __future__ import annotations

import pytest
from barstep.config.environments import choose_environment
from barstep.config.reading import read_config
from barstep.errors import UsageError
from msgspec.structs import replace
from written import CORE

ENVIRONMENTS = read_config(CORE).config.environments


@pytest.mark.parametrize(
    ("wanted", "name", "by"),
    [
        ("demo", "demo", "name"),
        ("local", "demo", "alias"),
        ("paper", "binance_paper", "type"),
        ("live", "binance_live", "type"),
        ("binance_live", "binance_live", "name"),
    ],
)
def test_name_goes_before_alias_and_type(wanted: str, name: str, by: str) -> None:
    """A name, else an alias, else the one environment of a type."""
    assert choose_environment(ENVIRONMENTS, wanted) == (name, by)


def test_among_several_of_a_type_the_offline_flag_decides() -> None:
    """Demo prefers recorded bars, paper and live a connection."""
    demo, paper = ENVIRONMENTS["demo"], ENVIRONMENTS["binance_paper"]
    both = {"a": replace(demo, offline=False), "b": demo, "c": replace(paper, offline=True), "d": paper}
    assert choose_environment(both, "demo") == ("b", "type")
    assert choose_environment(both, "paper") == ("d", "type")


def test_what_means_none_or_several_is_refused() -> None:
    """The near name, or the ones that are meant, are told."""
    with pytest.raises(UsageError, match=r"unknown environment 'dmeo'. Did you mean 'demo'"):
        choose_environment(ENVIRONMENTS, "dmeo")
    with pytest.raises(UsageError, match=r"unknown environment 'demo'. None is defined."):
        choose_environment({}, "demo")
    paper = ENVIRONMENTS["binance_paper"]
    with pytest.raises(UsageError, match=r"'paper' may be any of the environments a, b; name one."):
        choose_environment({"a": paper, "b": paper}, "paper")
