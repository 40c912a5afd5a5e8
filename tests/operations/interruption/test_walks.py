"""Every command that creates or deletes something on AWS, interrupted at each of its requests and pauses.

After each interruption, a list of the stage names everything in it that is billed by the hour. Some commands are then
repeated, and must lead to the same as without the interruption. At the end, a teardown deletes all that the interrupted
commands left, and nothing that is somebody else's. By default, a walk takes a sample of the places of the code;
VERDICT_EVERY_POINT=1 takes every request and pause, and many times as long.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import count

import pytest

from chalicelib.errors import SentimentError
from operations.aws import names
from operations.aws.command import Aws
from operations.inventory import inventory
from operations.teardown.teardown import Scope, teardown
from simulator.aws import SimulatedAws
from tests.operations.interruption.commands import Files, Walk, no_chalice, walks
from tests.operations.interruption.interrupter import (
    CtrlC,
    Interrupter,
    InterruptibleClients,
    KilledError,
    Point,
    points_to_interrupt,
)
from tests.operations.interruption.strangers import billed_by_the_hour, create_strangers, everything, strange_endpoint

EVERY = bool(os.environ.get("VERDICT_EVERY_POINT"))
LISTED = (*inventory.HOURLY, "tables of feedback")
WALKS = walks()
_stages = (f"w{number}" for number in count(1))


def run(interruptible: Aws, aws: Aws, simulated: SimulatedAws, walk: Walk, stage: str, files: Files) -> None:
    """Prepare a stage, and run the command in it until it ends or is interrupted."""
    walk.prepare(aws, stage, files)
    if walk.fault:
        simulated.fault_injector.inject(*walk.fault)
    with suppress(CtrlC, KilledError, SentimentError):
        walk.command(interruptible, stage, files)
    simulated.fault_injector.clear()


def points_of(aws: Aws, simulated: SimulatedAws, walk: Walk, files: Files) -> list[Point]:
    """Return the points of a command, without those that it passes if its fault does not occur."""
    recorder, clients = Interrupter(longest_wait=longest_wait(walk)), InterruptibleClients(simulated)
    run(clients.context(aws, recorder), aws, simulated, walk, next(_stages), files)
    usual = points_of(aws, simulated, WALKS[walk.beyond], files) if walk.beyond else []
    return [point for point in recorder.points if point not in usual]


def longest_wait(walk: Walk) -> int:
    """Return after how many pauses a wait ends: for a job that is stuck, one is like another."""
    return 5 if walk.fault and walk.fault[1] == "stuck" else 100


def interrupt_everywhere(aws: Aws, simulated: SimulatedAws, walk: Walk, files: Files) -> Iterator[tuple[str, bool]]:
    """Yield each interruption as text, after it, and whether it took place."""
    clients, points = InterruptibleClients(simulated), points_of(aws, simulated, walk, files)
    for how in (CtrlC, KilledError):
        for point in points_to_interrupt(points, how, EVERY):
            interrupter, stage = Interrupter(point, how, longest_wait(walk)), next(_stages)
            run(clients.context(aws, interrupter), aws, simulated, walk, stage, files)
            where = f"{stage}: {how.__name__} {point}"
            check_named(aws, stage, where)
            if walk.check:
                walk.command(aws, stage, files)
                walk.check(aws, stage, files)
            yield where, interrupter.has_interrupted


def check_named(aws: Aws, stage: str, where: str) -> None:
    """Fail unless a list of the stage names everything in it that is billed by the hour."""
    named = {resource.name for resource in inventory.take(aws.account, stage, LISTED).resources}
    billed = {name for _, name in billed_by_the_hour(aws) if name.startswith(names.prefix(stage))}
    assert billed - named <= {strange_endpoint(stage)}, where


@pytest.mark.slow
@pytest.mark.timeout(3600 if EVERY else 600)
@pytest.mark.parametrize("name", WALKS)
def test_nothing_billed_is_lost_wherever_a_command_is_interrupted(
    account: Aws, simulated: SimulatedAws, name: str, files: Files
) -> None:
    strangers = create_strangers(account, next(_stages))
    before = everything(account)
    interruptions = dict(interrupt_everywhere(account, simulated, WALKS[name], files))
    teardown(account, Scope(None, optional=("logs", "feedback", "packages")), yes=True, deletions=no_chalice())
    left = everything(account)
    assert {item for item in left - before if item[0] not in ("FunctionName", "RoleName", "id")} == set()  # of the app
    assert strangers <= left
    missed = [where for where, took_place in interruptions.items() if not took_place]
    assert interruptions
    assert len(missed) <= len(interruptions) / 4, missed  # a wait can end before its turn
