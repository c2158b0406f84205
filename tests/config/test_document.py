"""YAML as values with lines: one reading only, and nothing is ever constructed."""

from __future__ import annotations

import json

import pytest
import yaml
from barstep.config.document import MOST_LEVELS, Node, parse, resolve
from hypothesis import given
from hypothesis import strategies as st


def plain(node: Node) -> object:
    """The values alone."""
    if isinstance(node.value, dict):
        return {name: plain(entry) for name, entry in node.value.items()}
    if isinstance(node.value, list):
        return [plain(item) for item in node.value]
    return node.value


def told(text: str) -> list[str]:
    """What is wrong with a document."""
    return [str(problem) for problem in parse(text, "f")[1]]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("off", "off"),
        ("n", "n"),
        ("012", 12),
        ("0o14", 12),
        ("0xff", 255),
        ("0b11", "0b11"),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("2024-01-05", "2024-01-05"),
        ("2024-01-05T12:00:00+00:00", "2024-01-05T12:00:00+00:00"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("-7", -7),
        ("+7", 7),
        ("٣", "٣"),
        ("1.2.3", "1.2.3"),
        ("true", True),
        ("False", False),
        ("tRUE", "tRUE"),
        ("null", None),
        ("~", None),
        ("", None),
        ("=", "="),
        ("<<", "<<"),
        (".inf", float("inf")),
        ("-.INF", float("-inf")),
    ],
)
def test_plain_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    """Each plain scalar is what the core schema of YAML 1.2 says, and in quotes it is text."""
    assert (type(resolve(text)), resolve(text)) == (type(value), value)
    assert plain(parse(f"a: '{text}'", "f")[0]) == {"a": text}
    if text:
        assert plain(parse(f"a: {text}", "f")[0]) == {"a": value}


def test_a_number_of_many_digits_does_not_stop_the_reader() -> None:
    """More digits than Python converts to an int are a float, too large for any field."""
    assert resolve("9" * 5000) == float("inf")


def test_every_value_knows_its_line() -> None:
    """A mapping's value stands where its key does, a list's where it does itself; counted from 1."""
    root, problems = parse("a:\n  b: [1,\n    2]\nc: x\n", "f")
    assert problems == []
    assert (root.find(("a", "b")).line, root.find(("a", "b")).column) == (2, 3)
    assert (root.find(("a", "b", 1)).line, root.find(("a", "b", 1)).column) == (3, 5)
    assert root.find(("c", "not there")).line == 4


def test_keys_are_the_text_that_is_written() -> None:
    """A key that looks like a number or a truth is its text."""
    assert plain(parse("{012: 1, no: 2, true: 3, 1.50: 4}", "f")[0]) == {"012": 1, "no": 2, "true": 3, "1.50": 4}


def test_a_key_twice_is_told_of_with_both_lines() -> None:
    """The second one is refused with its path; so is a third."""
    assert told("a:\n  b: 1\n  c: 2\n  b: 3\n  'b': 4\n") == [
        "f:4:3: a.b: stands twice; it is in line 2 already.",
        "f:5:3: a.b: stands twice; it is in line 2 already.",
    ]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (
            "a: !!python/object/apply:os.system ['true']",
            "has the tag 'tag:yaml.org,2002:python/object/apply:os.system'",
        ),
        ("a: !!python/name:os.system", "has the tag"),
        ("a: !!str 12", "has the tag 'tag:yaml.org,2002:str'"),
        ("a: !own {b: 1}", "has the tag '!own'"),
        ("a: !!binary aGk=", "has the tag"),
        ("!!set {a, b}", "has the tag"),
        ("!!str a: 1", "is a key with a tag"),
        ("? [a, b]\n: 1", "has a key that is no plain text"),
        ("a: &a [*a]", "is the alias *a, which stands for itself or for nothing"),
        ("a: *b", "is the alias *b"),
        ("a: 1\n---\nb: 2", "is a second document"),
        ("a: [1", "is no YAML: "),
        ("a:\n\t- 1", "is no YAML: "),
        ("a: \x00", "is no YAML: "),
        ("a: b: c", "is no YAML: mapping values are not allowed"),
    ],
)
def test_what_is_refused(text: str, what: str) -> None:
    """Tags, keys that are no names, endless aliases, several documents and bad syntax are each one line."""
    problems = told(text)
    assert len(problems) == 1
    assert what in problems[0]
    assert "\n" not in problems[0]


def test_aliases_are_written_out() -> None:
    """An alias has the value of its anchor."""
    root, problems = parse("a: &x {b: [1, 2]}\nc: *x\n", "f")
    assert (plain(root), problems) == ({"a": {"b": [1, 2]}, "c": {"b": [1, 2]}}, [])


def test_a_bomb_of_aliases_is_refused_before_it_goes_off() -> None:
    """Ten lines that stand for ten thousand million values are one problem."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 10)}]" for k in range(1, 10)]
    assert told("\n".join(lines)) == [
        "f:5:5: a4: is too large with its aliases written out; the most is 100,000 values and 50 levels."
    ]


def test_nesting_has_an_end() -> None:
    """Neither brackets nor a chain of aliases can nest deeper than the reader follows."""
    assert "is nested deeper than 50 levels" in told("[" * 400 + "]" * 400)[0]
    assert "is no YAML" in told("[" * 100_000)[0] or "nested deeper" in told("[" * 100_000)[0]
    chain = ["a0: &a0 [x]", *(f"a{k}: &a{k} [*a{k - 1}]" for k in range(1, MOST_LEVELS + 5))]
    assert "50 levels" in told("\n".join(chain))[0]


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(10**17), 10**17)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(min_codepoint=32, max_codepoint=126)),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.text(st.characters(min_codepoint=97, max_codepoint=122)), inner, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_json_is_read_as_it_is(value: object) -> None:
    """A JSON document gives the values that a JSON reader gives."""
    root, problems = parse(json.dumps(value), "f")
    assert problems == []
    assert plain(root) == value


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text raises: it is a tree, or a list of problems."""
    root, problems = parse(text, "f")
    assert isinstance(root, Node)
    assert all("\n" not in str(problem) for problem in problems)


@pytest.mark.parametrize("text", ["a: [1, 'no', {b: no}]\nc: |\n  x\n  y\n", "- &a x\n- *a\n- ''\n- ~\n"])
def test_both_parsers_give_one_tree(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML's own parser gives what libyaml's does, for an installation without the latter."""
    fast = parse(text, "f")
    monkeypatch.setattr("barstep.config.document._PARSER", yaml.SafeLoader)
    assert parse(text, "f") == fast
