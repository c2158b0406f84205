"""A limit on the memory of a process that serves the channel."""

from __future__ import annotations

import resource

from ...errors import UsageError


def limit_memory(most_bytes: int) -> None:
    """Let this process have no more memory than this; what asks for more ends it, and not the machine.

    Flight reads the whole body of an action, a ticket or a criterion, of up to 4 GB, before anybody looks at its token.
    Without certificates everybody on the machine can send one. What counts is data that is mapped to be written
    (`RLIMIT_DATA`), stacks of threads with it: 8 MB for each.

    Raises:
        UsageError: It is more than the system allows the process, or not above 0.
    """
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    if most_bytes <= 0 or (hard != resource.RLIM_INFINITY and most_bytes > hard):
        allowed = "more than 0" if hard == resource.RLIM_INFINITY else f"1 to {hard:,}"
        raise UsageError(f"a limit of {most_bytes:,} bytes of memory cannot be set; allowed is {allowed}.")
    resource.setrlimit(resource.RLIMIT_DATA, (most_bytes, most_bytes))
