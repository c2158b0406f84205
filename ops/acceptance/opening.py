"""The first steps: secrets and journal at hand, a configuration that is sound, its digest in the journal."""

from __future__ import annotations

from datetime import timedelta

from ...config.digest import content_sha384
from ...config.durations import instant_at
from ...data.whole_file import write_json
from ...engine.configured import examine
from ...engine.scheduler.backtest import set_up_scheduler
from ...errors import JournalError
from ...replay.certificate_files import BundleFolder
from ...replay.certificates import MTLS, init_bundle
from ...replay.journal.witness import default_witness, export_head
from ...replay.replaying import SECRETS, replay
from ...replay.secrets_setup import require_secrets
from .stage import JOURNALS, FailedError, Stage, ToldElsewhereError

_BEGUN_WITH = timedelta(days=2)
"""Recorded time that a demonstration's journal is begun with, where it has none."""


def check_configuration(stage: Stage) -> str:
    """The configuration is sound; what it says is written down."""
    read = examine(stage.asked.config)
    passed = not read.errors
    report = {
        "ok": passed,
        "file": read.file,
        "content_sha384": read.content_sha384 if passed else None,
        "file_sha384": read.file_sha384,
        "errors": [problem.as_json() for problem in read.errors],
        "warnings": [problem.as_json() for problem in read.warnings],
    }
    write_json(stage.smoke_folder / "configuration.json", report)
    if not passed:
        raise FailedError("; ".join(str(problem) for problem in read.errors))
    return f"{read.file}: SHA-384 {read.content_sha384[:16]}…, {len(read.warnings)} warnings"


def have_secrets(stage: Stage) -> str:
    """Keys, certificates and a token that may write are at hand; a demonstration makes its own."""
    made = require_secrets(SECRETS, stage.environment, stage.place, stage.scheduler.rbac_tokens, stage.asked.environ)
    bundle = BundleFolder(SECRETS / MTLS, stage.asked.mtls_bundle)
    if stage.place.type == "demo" and not bundle.path.exists():
        init_bundle(bundle, host="localhost", client=stage.asked.mtls_bundle, now_us=stage.clock.now_us())
        made.append(bundle.path)
    for path in made:
        stage.told(f"made for the demonstration: {path}")
    return f"token {stage.authorized()} may write"


def begin_journal(stage: Stage) -> str:
    """A journal is there, and the configuration's digest in it."""
    begun = ""
    if not stage.journal.head.exists():
        if stage.place.type != "demo":
            raise FailedError(f"{stage.journal.head}: no journal; an environment that trades has one.")
        begun = f", begun with {_BEGUN_WITH.days} recorded days"
        _begin(stage)
    try:
        seq = stage.note(f"acceptance {stage.asked.timestamp}: configuration SHA-384 {content_sha384(stage.core)}")
    except JournalError as error:
        raise ToldElsewhereError(f"nothing is written into a journal that is not believed: {error}") from None
    witness = default_witness(stage.environment)
    if not witness.exists():  # the first acceptance: from here on somebody has seen it
        export_head(stage.journal, witness)
    return f"digest in record {seq} of {stage.journal.open_segment}{begun}"


def _begin(stage: Stage) -> None:

    whole = set_up_scheduler(stage.core, environment=stage.environment)
    end = instant_at(whole.start_us) + _BEGUN_WITH
    replay(stage.core, environment=stage.environment, end=end, journal=JOURNALS, clock=stage.clock)
