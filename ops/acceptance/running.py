"""The steps in their order, and the run over them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ...errors import BarstepError, UsageError, unknown_name
from ...replay.clock import Clock, elapsed_ns
from . import bundling, closing, observing, opening, tested, trying
from .stage import Asked, FailedError, Outcome, SkippedError, Stage, Status, ToldElsewhereError

Told = Callable[[Outcome], object]


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step of the runbook.

    Attributes:
        name: What it is called.
        title: What has to be so.
        run: Tries it; gives what was found.
        needs: Steps that must not have failed, or been skipped, before.
    """

    name: str
    title: str
    run: Callable[[Stage], str]
    needs: tuple[str, ...] = ("configuration",)


STEPS: tuple[Step, ...] = (
    Step(name="configuration", title="configuration is sound", run=opening.check_configuration, needs=()),
    Step(name="secrets", title="token, keys, certificates at hand", run=opening.have_secrets),
    Step(
        name="journal_note",
        title="digest of the configuration in the journal",
        run=opening.begin_journal,
        needs=("configuration", "secrets"),
    ),
    Step(name="tests", title="marked tests pass and cover enough", run=tested.run_marked_tests, needs=()),
    Step(name="rules", title="alert rules", run=observing.check_rules, needs=()),
    Step(name="smoke", title="smoke test", run=trying.run_smoke),
    Step(name="strategy_bundle", title="bundle of strategies", run=bundling.bundle_strategies),
    Step(name="observability_bundle", title="bundle of observability", run=bundling.bundle_observability),
    Step(
        name="signatures",
        title="both bundles verify",
        run=bundling.verify_bundles,
        needs=("strategy_bundle", "observability_bundle"),
    ),
    Step(name="journal", title="journal verifies strictly", run=closing.verify_journal),
    Step(name="telemetry", title="telemetry within its bounds", run=observing.watch_telemetry),
    Step(name="compliance", title="audit of stage 4", run=closing.audit_everything),
    Step(name="dashboards", title="dashboards show the profiles' bounds", run=observing.check_dashboards),
    Step(name="risk", title="risk simulation without breach", run=trying.simulate_risk),
    Step(name="load", title="load test within resources", run=trying.try_load),
    Step(
        name="archive",
        title="archive, record, witness",
        run=closing.archive,
        needs=("configuration", "secrets", "journal"),
    ),
)


@dataclass(frozen=True, kw_only=True)
class AcceptanceReport:
    """What came of an acceptance.

    Attributes:
        asked: What was asked for.
        outcomes: Of the steps, in their order.
    """

    asked: Asked
    outcomes: tuple[Outcome, ...]

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the steps that failed."""
        return tuple(one.step for one in self.outcomes if one.status == "FAIL")

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values."""
        return {
            "status": "fail" if self.failed else "ok",
            "run_id": self.asked.run_id,
            "timestamp": self.asked.timestamp,
            "environment": self.asked.environment,
            "folder": str(self.asked.folder),
            "steps": [asdict(one) for one in self.outcomes],
        }


def run_acceptance(
    asked: Asked,
    clock: Clock,
    *,
    steps: Sequence[Step] = STEPS,
    begun: Callable[[Step], object] = lambda _: None,
    told: Told = lambda _: None,
    made: Callable[[str], object] = lambda _: None,
) -> AcceptanceReport:
    """Run the steps; one that fails does not stop those that do not need it.

    Args:
        asked: What is asked for.
        clock: The time.
        steps: Which steps.
        begun: Called with each step that begins.
        told: Called with what came of each.
        made: Called with a line for each secret that a demonstration makes.

    Raises:
        UsageError: A step to be left out is unknown, or the folder is there already.
    """
    names = [step.name for step in steps]
    for name in asked.skip:
        if name not in names:
            raise UsageError(f"--skip: {unknown_name('step', name, names)}")
    if asked.folder.exists():
        raise UsageError(f"{asked.folder}: is there already; choose another --timestamp.")
    stage = Stage(asked=asked, clock=clock, told=made)
    for step in steps:
        begun(step)
        outcome = _outcome(step, stage)
        stage.outcomes[step.name] = outcome
        told(outcome)
    return AcceptanceReport(asked=asked, outcomes=tuple(stage.outcomes.values()))


def _outcome(step: Step, stage: Stage) -> Outcome:
    began = elapsed_ns()
    status, text = _tried(step, stage)
    return Outcome(
        step=step.name, title=step.title, status=status, text=text, seconds=round((elapsed_ns() - began) * 1e-9, 3)
    )


def _tried(step: Step, stage: Stage) -> tuple[Status, str]:
    if step.name in stage.asked.skip:
        return "SKIP", "as asked"
    for needed in step.needs:
        before = stage.outcomes.get(needed)
        if before is not None and before.status != "PASS":
            return "SKIP", f"needs step {needed}, which is {before.status}"
    try:
        return "PASS", step.run(stage)
    except ToldElsewhereError as elsewhere:
        return "SKIP", str(elsewhere)
    except SkippedError as skipped:
        return ("FAIL" if stage.asked.strict else "SKIP"), str(skipped)
    except (FailedError, BarstepError, OSError) as error:
        return "FAIL", " ".join(str(error).split())
