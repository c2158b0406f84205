"""A server in a process of its own, whose memory is looked at.

`serving_process.py [folder of PEM files] [bytes that it may take beyond what it has]`: it says its address, then serves
until its standard input ends.
"""

import sys
from pathlib import Path

from barstep.replay.channel.identity import Identity
from barstep.replay.channel.memory_limit import limit_memory
from barstep.replay.channel.server import ChannelServer
from barstep.replay.clock import SystemClock
from certificate_making import HOST
from channel_making import SmallService, table

PEMS = ("authority", "certificate", "key")


def status(pid: int | str, field: str) -> int:
    """A figure of /proc/PID/status, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) * 1024


def main(folder: str, headroom: str) -> None:
    """Serve."""
    identity = None
    if folder:
        pems = {name: Path(folder, f"{name}.pem").read_bytes() for name in PEMS}
        identity = Identity(**pems, name=HOST)
    server = ChannelServer(SmallService(), tokens=table(), clock=SystemClock(), identity=identity)
    if headroom:
        limit_memory(status("self", "VmData") + int(headroom))
    print(server.address, flush=True)  # noqa: T201 - it is what the test reads
    sys.stdin.read()
    server.close(0)


if __name__ == "__main__":
    main(*[*sys.argv[1:], "", ""][:2])
