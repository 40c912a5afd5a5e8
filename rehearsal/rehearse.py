"""Rehearsal of docs/tutorial/lifecycle.md on the simulated AWS, under simulated traffic.

Real parts: these commands, the `chalice` command, the Lambda runtime client that runs what was deployed, xgboost. The
AWS is `simulator`'s, in a process of its own. It ends with an error, and status 1, at the first thing that
goes otherwise than it must: a request that failed, a sentence that was not said, anything left after teardown.
"""

import os
import time
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from devserver.run import available_port
from rehearsal.account import Rehearsed
from rehearsal.story import ACTS, Scene
from rehearsal.traffic import Tally
from rehearsal.workspace import Workspace
from simulator.child_process import child
from simulator.listener import LOOPBACK

PACE_SECONDS = 0.3
LEAST_REQUESTS = 10_000


def rehearse(folder: Path, show: Console, least_requests: int = LEAST_REQUESTS) -> tuple[dict[str, float], Tally]:
    """Play the story in a folder; returns seconds by act and what the askers saw. Raises `RehearsalError`."""
    port = available_port(0)
    aws = Rehearsed(f"http://{LOOPBACK}:{port}")
    seconds: dict[str, float] = {}
    simulate = ["-m", "cli.main", "simulate", "--child", "--port", str(port), "--pace", str(PACE_SECONDS)]
    temporary = folder / "temporary"  # what the AWS unpacks goes with the folder, even should it be killed
    temporary.mkdir()
    with ExitStack() as stack:
        stack.enter_context(child(simulate, {**os.environ, "TMPDIR": str(temporary)}))
        aws.wait_for(aws.answers, "the simulated AWS")
        work = Workspace(folder, aws.environment, lambda text: show.print(text, markup=False, highlight=False))
        scene = Scene(work, aws, least_requests=least_requests)
        stack.callback(scene.end_traffic)
        for name, act in ACTS.items():
            show.rule(name)
            started = time.monotonic()
            act(scene)
            seconds[name] = time.monotonic() - started
        return seconds, scene.check_traffic()
