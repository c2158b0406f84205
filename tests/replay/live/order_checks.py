"""The oracle of orders: what a journal says was ordered, held against the venue's own ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from barstep.replay.channel.messages import FINAL
from barstep.replay.live.loop import OWN_WORD


def order_problems(
    journal: Sequence[Mapping[str, Any]], ledger: Sequence[Mapping[str, Any]], wanted: Collection[str]
) -> list[str]:
    """What is wrong with a run's orders, a line each; empty where nothing is.

    Args:
        journal: Its records, with `seq` and `mac`.
        ledger: The venue's entries of the run.
        wanted: Ids that the loop still waits for.
    """
    ordered = Counter(one["order_id"] for one in journal if one["kind"] == "order" and one["status"] == "accepted")
    tags = {one["order_id"]: f"{one['seq']}.{one['mac'][:16]}" for one in journal
            if one["kind"] == "order" and one["status"] == "accepted"}  # fmt: skip
    reports = [one for one in journal if one["kind"] == "report"]
    ended = {one["order_id"] for one in reports if one["status"] in FINAL}
    given_up = {one["order_id"] for one in reports if one["number"] == OWN_WORD}
    taken = Counter(one["order_id"] for one in ledger)
    decided = Counter((one["schedule"], one["leg"], one["sent_us"]) for one in ledger if not one["replaces"])
    found = [f"{order_id}: {count} order records" for order_id, count in ordered.items() if count > 1]
    found += [f"{order_id}: taken {count} times" for order_id, count in taken.items() if count > 1]
    found += [f"{decision}: ordered {count} times" for decision, count in decided.items() if count > 1]
    found += [f"{order_id}: at the venue, not in the journal" for order_id in taken if order_id not in ordered]
    found += [
        f"{order_id}: in limbo, neither at the venue nor given up"
        for order_id in ordered
        if order_id not in taken and order_id not in given_up
    ]
    for one in ledger:
        order_id = one["order_id"]
        if one["tag"] != tags.get(order_id):
            found.append(f"{order_id}: its tag is {one['tag']!r}, the journal's record is {tags.get(order_id)!r}")
        if abs(one["filled_lots"]) > abs(one["lots"]):
            found.append(f"{order_id}: {one['filled_lots']} lots were traded of {one['lots']}")
        is_open = one["status"] not in FINAL
        if is_open and order_id not in wanted:
            found.append(f"{order_id}: open at the venue, and the loop does not wait for it")
        if not is_open and order_id not in ended:
            found.append(f"{order_id}: {one['status']} at the venue, and the journal does not say so")
    numbers = [one["number"] for one in reports if one["number"] != OWN_WORD]
    if numbers != list(range(1, len(numbers) + 1)):
        found.append(f"reports are not numbered 1 to {len(numbers)} in the journal")
    return found
