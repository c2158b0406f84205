"""What is done whole or not at all: an error inside it stops it for good."""

from __future__ import annotations

from types import TracebackType

from ..errors import BarstepError, UsageError, in_one_line


class Undivided:
    """A context that nothing enters any more once an error has left it.

    Attributes:
        stopped_by: That error; None while all is well.
    """

    def __init__(self, what: str) -> None:
        """what: The name of what is done in it, for messages."""
        self.stopped_by: BaseException | None = None
        self._what = what

    def __enter__(self) -> None:
        """Go in.

        Raises:
            BarstepError: An error has left it before: that error, where it is one of barstep.
        """
        if self.stopped_by is None:
            return
        if isinstance(self.stopped_by, BarstepError):
            raise self.stopped_by
        why = in_one_line(self.stopped_by) if isinstance(self.stopped_by, Exception) else repr(self.stopped_by)
        raise UsageError(f"{self._what} was stopped in the middle by {why} and does nothing more; begin it anew.")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Keep the error, where there is one."""
        if error is not None and self.stopped_by is None:
            self.stopped_by = error
