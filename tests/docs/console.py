"""The console blocks of a page: what is typed, and what it is said to print.

A line that begins with `$ ` is typed; one that ends with a backslash goes on in the next. What follows is its output:
`…` stands for any text in a line, a line of `...` for any lines, and runs of blanks are one. A last line `[1]` is the
exit code, which is 0 otherwise. A command without output prints nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_NOT_RUN = re.compile(r"<!-- not run: (.+?) -->\s*\Z")
_NEEDS = re.compile(r"<!-- needs: (\S+) -->\s*\Z")
_EXIT_CODE = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True)
class Step:
    """A command, with the line that it stands in, and what is said of it."""

    line: int
    command: str
    output: tuple[str, ...]
    code: int

    def says(self, told: str) -> bool:
        """Whether what was printed is what the page says."""
        return re.fullmatch(_pattern(self.output), _plain(told)) is not None


@dataclass(frozen=True)
class Block:
    """The steps between two fences; why they are not run, and a program that they need, where the page says so."""

    steps: tuple[Step, ...]
    not_run: str
    needs: str


def console_blocks(page: Path) -> list[Block]:
    """The console blocks of a page, in order."""
    text = page.read_text()
    return [
        Block(
            steps=tuple(_steps(body, indent, text.count("\n", 0, fence.start()) + 2)),
            not_run=_said(_NOT_RUN, text[: fence.start()]),
            needs=_said(_NEEDS, text[: fence.start()]),
        )
        for fence in _FENCE.finditer(text)
        for indent, language, body in [fence.groups()]
        if language == "console"
    ]


def languages(page: Path) -> set[str]:
    """Those of all fenced blocks of a page."""
    return {fence[2] for fence in _FENCE.finditer(page.read_text())}


def _said(mark: re.Pattern[str], before: str) -> str:
    found = mark.search(before)
    return found[1] if found else ""


def _steps(body: str, indent: str, first_line: int) -> list[Step]:
    lines = [line.removeprefix(indent) for line in body.splitlines()]
    begins = [number for number, line in enumerate(lines) if line.startswith("$ ")]
    assert begins[:1] == [0], f"line {first_line}: a console block begins with a command"
    return [
        _step(lines[begin:end], first_line + begin)
        for begin, end in zip(begins, [*begins[1:], len(lines)], strict=True)
    ]


def _step(lines: list[str], line: int) -> Step:
    typed = 1 + next(number for number, text in enumerate(lines) if not text.endswith("\\"))
    output = [text for text in lines[typed:] if text.strip()]
    ended = _EXIT_CODE.fullmatch(output[-1]) if output else None
    return Step(
        line=line,
        command="\n".join(lines[:typed]).removeprefix("$ "),
        output=tuple(output[:-1] if ended else output),
        code=int(ended[1]) if ended else 0,
    )


def _plain(told: str) -> str:
    return "".join(f"{' '.join(line.split())}\n" for line in told.splitlines() if line.strip())


def _pattern(output: tuple[str, ...]) -> str:
    return "".join(
        r"(?:.*\n)*?" if line.strip() == "..." else re.escape(" ".join(line.split())).replace("…", ".*?") + r"\n"
        for line in output
    )
