"""What the bundle of observability holds: Prometheus' rules and Grafana's dashboards, as they stand in `deploy/`.

Alertmanager's configuration and Grafana's sources of data stay out: they say whom to call and where, and often with
which secret.
"""

from __future__ import annotations

from pathlib import Path

from ...errors import DataError, UsageError

DEPLOY = Path("deploy")
_IN_SOURCES = Path(__file__).resolve().parents[2] / DEPLOY
RULES = ("prometheus/rules/**/*.yml", "prometheus/rules/**/*.yaml")
TESTS = ("prometheus/tests/**/*.yml", "prometheus/tests/**/*.yaml")
DASHBOARDS = ("grafana/**/dashboards/**/*.json",)
PROVISIONING = ("grafana/**/dashboards/*.yml", "grafana/**/dashboards/*.yaml")


def default_source() -> Path:
    """`deploy` under the working folder where it is there, else the one beside barstep's sources."""
    return DEPLOY if DEPLOY.is_dir() else _IN_SOURCES


def observability_members(source: Path) -> dict[str, bytes]:
    """The bundle's members by path, below `source`.

    Raises:
        DataError: There is no such folder.
        UsageError: It holds no rules, or no dashboards; or a symbolic link.
    """
    if not source.is_dir():
        raise DataError(f"{source}: no such folder. Name the one with rules and dashboards: --source DIR.")
    for what, patterns in (("Prometheus rules", RULES), ("Grafana dashboards", DASHBOARDS)):
        if not _found(source, patterns):
            raise UsageError(f"{source}: holds no {what} ({', '.join(patterns)}); a bundle without them says nothing.")
    files = _found(source, (*RULES, *TESTS, *DASHBOARDS, *PROVISIONING))
    for path in files:
        if path.is_symlink():
            raise UsageError(f"{path}: is a symbolic link; put the file itself there.")
    return {path.relative_to(source).as_posix(): path.read_bytes() for path in files}


def _found(source: Path, patterns: tuple[str, ...]) -> list[Path]:
    return sorted({path for pattern in patterns for path in source.glob(pattern) if path.is_file()})
