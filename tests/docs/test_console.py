"""The reader of the pages finds what differs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from console import console_blocks, languages
from runbook import run_blocks
from terminal import Terminal

PAGE = """# A page

```console
$ echo one \\
    two
one two
$ printf 'a\\n\\nb 1.5 ms\\nc\\n'
a
b … ms
...
$ exit 3
[3]
```

- nested:

    <!-- not run: it is only an example -->
    ```console
    $ false
    ```

<!-- needs: no-such-program -->
```console
$ no-such-program
```
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.md"
    path.write_text(PAGE)
    return path


def test_a_page_is_read_as_it_is_written(page: Path) -> None:
    """Commands that go on in the next line, exit codes, marks, blocks inside of lists."""
    first, nested, needing = console_blocks(page)
    assert [step.command for step in first.steps] == [
        "echo one \\\n    two",
        "printf 'a\\n\\nb 1.5 ms\\nc\\n'",
        "exit 3",
    ]
    assert [step.code for step in first.steps] == [0, 0, 3]
    assert [step.line for step in first.steps] == [4, 7, 11]
    assert (nested.not_run, needing.needs) == ("it is only an example", "no-such-program")
    assert nested.steps[0].command == "false"
    assert languages(page) == {"console"}


@pytest.mark.parametrize(
    ("told", "is_said"),
    [
        ("a\nb 2 ms\n", True),
        ("a\n\nb    2   ms\nx\ny\n", True),
        ("a\nb 2 s\n", False),
        ("b 2 ms\n", False),
        ("x\na\nb 2 ms\n", False),
        ("", False),
    ],
)
def test_output_is_held_against_the_page(page: Path, told: str, is_said: bool) -> None:
    """Ellipses stand for anything, and everything else for itself."""
    assert console_blocks(page)[0].steps[1].says(told) is is_said


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("one two\n", "one three\n"),
        ("one two\n", ""),
        ("b … ms", "b … s"),
        ("[3]", "[4]"),
        ("[3]", ""),
        ("exit 3", "true"),
    ],
)
def test_a_page_that_is_wrong_is_found_out(
    tmp_path: Path, page: Path, monkeypatch: pytest.MonkeyPatch, right: str, wrong: str
) -> None:
    """Another output, none, another exit code: each fails; the page itself does not."""
    monkeypatch.delenv("BARSTEP_STRICT", raising=False)
    with Terminal(tmp_path / "clone") as terminal:
        assert run_blocks(terminal, page, console_blocks(page)) == 3
        page.write_text(PAGE.replace(right, wrong))
        with pytest.raises(AssertionError, match=r"page\.md:"):
            run_blocks(terminal, page, console_blocks(page))


def test_a_program_that_is_missing_fails_where_all_must_be_there(
    tmp_path: Path, page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is passed over elsewhere."""
    monkeypatch.setenv("BARSTEP_STRICT", "1")
    with Terminal(tmp_path / "clone") as terminal, pytest.raises(AssertionError, match="is not installed"):
        run_blocks(terminal, page, console_blocks(page))


def test_a_terminal_leaves_nothing_behind(tmp_path: Path) -> None:
    """Neither its folder, nor variables, nor jobs."""
    before = Path.cwd()
    with Terminal(tmp_path / "clone") as terminal:
        assert terminal.type("export ANSWER=$(echo 42)").code == 0
        assert terminal.type("barstep --version").told.startswith("barstep ")
        assert terminal.type('echo "$ANSWER"').told == "42\n"
        assert terminal.type("sleep 600 &").code == 0
        assert terminal.type("kill %1 && wait %1").code == -15
    assert (Path.cwd(), "ANSWER" in os.environ) == (before, False)
