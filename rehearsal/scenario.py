"""The rehearsal's scenario: an endpoint's whole lifecycle, as described in docs/tutorial/lifecycle.md.

The `verdict` and `chalice` commands, the Lambda runtime client that runs the deployed app, and xgboost are real. AWS
(`simulator`, in a separate process), the traffic and the reviews are simulated. Commands run in a copy of the project.
The first unexpected result ends the rehearsal with status 1: a failed request, a missing sentence, or any resource that
remains after teardown.
"""

import csv
import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from devserver.run import available_port
from rehearsal.simulated_account import SimulatedAccount
from rehearsal.simulated_traffic import SimulatedTraffic, TrafficCounts
from rehearsal.workspace import RehearsalError, Workspace
from simulator.http.server import LOOPBACK
from simulator.processes import child
from training.data.reviews import LABEL_NAMES

STAGE = "--stage prod"
SMALL = "--set num_round=60 --set early_stopping_rounds=10 --set eta=0.3"
CLIENTS = 2
PACE_SECONDS = 0.3  # duration of each state transition of the simulator
MIN_REQUESTS = 10_000
RANGES = {  # of the tuning job: small, because each trial is a job
    "ParameterRanges": {
        "ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.1", "MaxValue": "0.5"}],
        "IntegerParameterRanges": [{"Name": "max_depth", "MinValue": "2", "MaxValue": "5"}],
    },
    "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:logloss"},
    "StaticHyperParameters": {
        **{"objective": "binary:logistic", "eval_metric": "error,logloss", "seed": "1", "nthread": "1"},
        **{"num_round": "40", "early_stopping_rounds": "10"},
    },
}


@dataclass
class Rehearsal:
    """The state shared by the steps: the workspace, the account, and the traffic once it runs."""

    work: Workspace
    account: SimulatedAccount
    min_requests: int = 0
    traffic: SimulatedTraffic | None = None

    def stop_traffic(self) -> None:
        """Stop the simulated clients."""
        if self.traffic:
            self.traffic.stop()

    def check_traffic(self) -> TrafficCounts:
        """Return the counts so far; raises `RehearsalError` if a request has failed."""
        counts = self.traffic.counts if self.traffic else TrafficCounts()
        if counts.failed:
            raise RehearsalError(f"{counts.failed} of {counts.requests:,} requests failed: {counts.failures}")
        return counts


def train_release(rehearsal: Rehearsal) -> None:
    """Train and package a release on this machine, from generated reviews."""
    work = rehearsal.work
    work.verdict("data --generated 300", expected=["test, positive"])
    work.verdict("prepare")
    work.verdict(f"train {SMALL}")
    work.verdict("release", expected=["Evaluated on the official test once."])


def prepare_account(rehearsal: Rehearsal) -> None:
    """Create the execution role and the bucket in an empty account, and upload the channels."""
    work = rehearsal.work
    work.verdict("doctor", status=1)
    work.verdict("doctor --create --yes")
    work.verdict("quotas --request 'ml.m5.large for endpoint usage=20' --yes")
    work.verdict("upload --yes")
    work.verdict("upload --yes")


def train_on_sagemaker(rehearsal: Rehearsal) -> None:
    """Train and tune on SageMaker, and compare a batch transform with local predictions row by row."""
    work = rehearsal.work
    (work.folder / "ranges.json").write_text(json.dumps(RANGES), encoding="utf-8")
    work.verdict(f"train --on sagemaker --name cloud {SMALL} --yes {STAGE}")
    work.verdict(
        f"tune --on sagemaker --name searched --max-jobs 4 --max-parallel 2 --ranges ranges.json --yes {STAGE}"
    )
    work.verdict(f"evaluate --on batch --test --yes {STAGE}")


def deploy(rehearsal: Rehearsal) -> None:
    """Deploy the endpoint and the app, and start the simulated traffic."""
    work = rehearsal.work
    work.verdict(
        f"deploy {STAGE} --instance-type ml.m5.large --count 2 --expire 4h --yes",
        expected=["canary reviews", "in service"],
    )
    work.verdict(f"evaluate --on endpoint --test {STAGE}")
    work.chalice(f"deploy {STAGE}", expected=["Rest API URL: https://"])
    work.verdict(f"status {STAGE}")
    rehearsal.traffic = SimulatedTraffic(rehearsal.account.app_url(), CLIENTS)
    rehearsal.traffic.__enter__()


def update(rehearsal: Rehearsal) -> None:
    """Replace the model behind the endpoint, with a canary deployment."""
    work = rehearsal.work
    work.verdict(f"train --name second {SMALL} --set seed=2")
    work.verdict("release --name second")
    work.verdict(f"update {STAGE} --shift canary --bake 5m --yes", expected=["in service"])
    work.chalice(f"deploy {STAGE}")
    rehearsal.check_traffic()


def split_traffic(rehearsal: Rehearsal) -> None:
    """Split the traffic between two models, shift the weights, and keep one model."""
    work = rehearsal.work
    work.verdict("train --name linear --preset linear")
    work.verdict(f"split release=50 linear=50 {STAGE} --yes", expected=["release 50%, linear 50%"])
    work.verdict(f"variants {STAGE} --ask 'the cast is superb'")
    rehearsal.account.wait_until(
        lambda: rehearsal.check_traffic().variants["linear"] > 0, "a response of the linear variant"
    )
    (work.folder / "sample.txt").write_text("a superb film\na dull film\n", encoding="utf-8")
    work.verdict(f"compare {STAGE} --sample sample.txt", expected=["On 2 texts:", "Undecided: no answer has a label"])
    work.verdict(f"split release=10 linear=90 {STAGE}", expected=["linear 90%"])
    work.verdict(f"split release=1 {STAGE} --drop-others --yes", expected=["release 100%"])
    rehearsal.check_traffic()


def roll_back(rehearsal: Rehearsal) -> None:
    """Roll back to the previous release, and deploy its app."""
    first = next(iter(rehearsal.check_traffic().releases))
    rehearsal.work.verdict(f"rollback {STAGE} --yes", expected=[f"Restored release {first}"])
    rehearsal.work.chalice(f"deploy {STAGE}")
    rehearsal.check_traffic()


def change_vocabulary(rehearsal: Rehearsal) -> None:
    """Deploy a release with another vocabulary on a second endpoint, switch the app to it, and roll back."""
    work = rehearsal.work
    work.verdict("data --generated 320")
    work.verdict("prepare")
    work.verdict(f"train --name other {SMALL}")
    work.verdict(f"split release=90 other=10 {STAGE} --yes", status=1, expected=["would misread every row"])
    work.verdict("release --name other")
    work.verdict(f"update {STAGE} --yes", expected=["Both endpoints are in service"])
    work.chalice(f"deploy {STAGE}")
    rehearsal.account.wait_until(
        lambda: len(rehearsal.check_traffic().releases) >= 2, "a response of the other release"
    )
    work.verdict(f"retire {STAGE} --idle 5m --yes")
    work.verdict(f"rollback {STAGE} --yes")
    work.chalice(f"deploy {STAGE}")
    rehearsal.check_traffic()


def inspect(rehearsal: Rehearsal) -> None:
    """Show status, logs and releases."""
    work = rehearsal.work
    work.verdict("status --all-stages")
    work.verdict(f"logs {STAGE}")
    work.verdict("releases --register verdict")


def collect_feedback(rehearsal: Rehearsal) -> None:
    """Store every review that the deployed app judges, export them, and delete them; the teardown deletes the table.

    The app is deployed again in between, after which it still collects.
    """
    work, scan = rehearsal.work, rehearsal.account.client("dynamodb").scan
    reviews = {"TableName": "verdict-prod-feedback", "FilterExpression": "attribute_exists(review)"}
    work.verdict(f"feedback enable {STAGE} --collect-share 1 --yes", expected=["collects feedback"])
    work.chalice(f"deploy {STAGE}")
    rehearsal.account.wait_until(lambda: scan(**reviews)["Count"] > 0, "a stored review")
    work.verdict(f"feedback status {STAGE}", expected=["no answer", "The app collects feedback."])
    work.verdict(f"feedback export {STAGE} --out feedback.jsonl", expected=["Wrote"])
    work.verdict(f"feedback disable {STAGE} --yes", expected=["Feedback is off"])
    work.verdict(f"feedback delete {STAGE} --before 2100-01-01 --yes", expected=["Deleted"])
    rehearsal.check_traffic()


def learn_from_new_reviews(rehearsal: Rehearsal) -> None:
    """Find that new reviews have drifted, label them, retrain behind the gate, and serve the new model."""
    work = rehearsal.work
    work.verdict("data --generated 300")
    work.verdict("data --generated 200 --drifted --into new")
    work.verdict("predict new/reviews.jsonl --into here.jsonl", expected=["800 rows"])
    work.verdict(f"predict new/reviews.jsonl --into endpoint.jsonl --on endpoint {STAGE} --yes")
    if (work.folder / "here.jsonl").read_bytes() != (work.folder / "endpoint.jsonl").read_bytes():
        raise RehearsalError("The endpoint's verdicts differ from those of this machine.")
    work.verdict("drift new/reviews.jsonl", status=3, expected=["Drift: a classifier"])
    _label_in_spreadsheet(work)
    work.verdict("check new.labels.jsonl", expected=["worse, and not by chance"])
    work.verdict(f"retrain --with new.labels.jsonl {SMALL} --margin 0", status=4, expected=["fails the gate"])
    work.verdict("release --name retrained --data runs/retrained/data", status=1, expected=["Nothing is packaged"])
    work.verdict(f"retrain --with new.labels.jsonl {SMALL} --margin 10", expected=["passes the gate"])
    work.verdict("release --name retrained --data runs/retrained/data")
    earlier = set(rehearsal.check_traffic().releases)
    work.verdict(f"update {STAGE} --yes", expected=["Both endpoints are in service"])
    work.chalice(f"deploy {STAGE}")
    rehearsal.account.wait_until(
        lambda: not rehearsal.check_traffic().releases.keys() <= earlier, "a response of the retrained release"
    )


def _label_in_spreadsheet(work: Workspace) -> None:
    """Label all new reviews as a person does with a spreadsheet."""
    labelled = [json.loads(line) for line in (work.folder / "new" / "reviews.jsonl").open(encoding="utf-8")]
    labels = {review["text"]: LABEL_NAMES[review["label"]] for review in labelled}
    work.verdict("label new/reviews.jsonl --into new.labels.jsonl --export sheet.csv")
    with (work.folder / "sheet.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    with (work.folder / "sheet.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows({**row, "label": labels[row["review"]]} for row in rows)
    work.verdict("label new/reviews.jsonl --into new.labels.jsonl --import sheet.csv --labeller ann")


def inject_faults(rehearsal: Rehearsal) -> None:
    """Check that each failure is reported clearly and leaves nothing behind."""
    work, account = rehearsal.work, rehearsal.account
    with account.injected_fault("CreateEndpoint", "fail"):
        work.verdict("deploy --stage dev --yes", status=1, expected=["failed"])
    with account.injected_fault("CreateEndpoint", "stuck"):
        work.verdict("deploy --stage dev --yes --max-minutes 0.05", status=1, expected=["not in service after"])
    with account.injected_fault("CreateEndpoint", "denied"):
        work.verdict("deploy --stage dev --yes", status=1, expected=["do not allow sagemaker:CreateEndpoint"])
    with account.injected_fault("CreateEndpoint", "limit"):
        work.verdict("deploy --stage dev --yes", status=1, expected=["quota"])
    with account.injected_fault("CreateTrainingJob", "fail"):
        work.verdict(f"train --on sagemaker --name failing {SMALL} --set seed=9 --yes --stage dev", status=1)
    _interrupt_deploy(rehearsal)
    left = [name for name in account.remaining() if "-dev-" in name and "endpoint" in name]
    if left:
        raise RehearsalError(f"A failed command left {', '.join(left)} behind.")


def _interrupt_deploy(rehearsal: Rehearsal) -> None:
    """Interrupt a deployment with Ctrl-C, resume it, and tear it down."""
    with rehearsal.account.injected_fault("CreateEndpoint", "slow"):
        process = rehearsal.work.start("deploy --stage dev --yes")
        rehearsal.account.wait_until(
            lambda: any(":endpoint/verdict-dev-" in name for name in rehearsal.account.remaining()), "the endpoint"
        )
        process.send_signal(signal.SIGINT)
        text, _ = process.communicate(timeout=60)
    if process.returncode != 130 or "verdict deploy --stage dev" not in " ".join(text.split()):
        raise RehearsalError(f"An interrupted deployment exited with {process.returncode} and printed: {text}")
    rehearsal.work.verdict("deploy --stage dev --yes", expected=["in service"])
    rehearsal.work.verdict("teardown --stage dev --yes")


def tear_down(rehearsal: Rehearsal) -> None:
    """Delete everything, and check that the account is empty."""
    rehearsal.account.wait_until(
        lambda: rehearsal.check_traffic().requests >= rehearsal.min_requests, "enough requests"
    )
    rehearsal.stop_traffic()
    rehearsal.work.verdict("teardown --all-stages --everything --yes")
    rehearsal.work.verdict("teardown --all-stages --everything --yes")
    left = rehearsal.account.remaining()
    if left:
        raise RehearsalError(f"Still present after teardown: {', '.join(left)}.")


STEPS: dict[str, Callable[[Rehearsal], None]] = {
    "train and package a release": train_release,
    "prepare the account": prepare_account,
    "train on SageMaker": train_on_sagemaker,
    "deploy": deploy,
    "update": update,
    "split traffic between two models": split_traffic,
    "roll back": roll_back,
    "change the vocabulary": change_vocabulary,
    "inspect": inspect,
    "collect feedback": collect_feedback,
    "learn from new reviews": learn_from_new_reviews,
    "inject faults": inject_faults,
    "tear down": tear_down,
}


def rehearse(
    folder: Path, console: Console, min_requests: int = MIN_REQUESTS
) -> tuple[dict[str, float], TrafficCounts]:
    """Run all steps in a folder; returns the seconds per step, and the traffic counts. Raises `RehearsalError`."""
    port = available_port(0)
    account = SimulatedAccount(f"http://{LOOPBACK}:{port}")
    seconds: dict[str, float] = {}
    simulate = ["-m", "cli.main", "simulate", "--child", "--port", str(port), "--pace", str(PACE_SECONDS)]
    temporary = folder / "temporary"  # the simulator's files, deleted with the folder even if it is killed
    temporary.mkdir()
    with ExitStack() as stack:
        stack.enter_context(child(simulate, {**os.environ, "TMPDIR": str(temporary)}))
        account.wait_until(account.is_ready, "the simulated AWS")
        work = Workspace(folder, account.environment, lambda text: console.print(text, markup=False, highlight=False))
        rehearsal = Rehearsal(work, account, min_requests)
        stack.callback(rehearsal.stop_traffic)
        for name, step in STEPS.items():
            console.rule(name)
            started = time.monotonic()
            step(rehearsal)
            seconds[name] = time.monotonic() - started
        return seconds, rehearsal.check_traffic()
