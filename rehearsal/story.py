"""The story's acts: real commands against an AWS on this machine, each held to what it must say.

Everything happens in a copy of the project, with synthetic reviews, in the order of docs/tutorial/lifecycle.md.
"""

import json
import signal
from collections.abc import Callable
from dataclasses import dataclass

from rehearsal.account import Rehearsed
from rehearsal.traffic import Tally, Traffic
from rehearsal.workspace import RehearsalError, Workspace

STAGE = "--stage prod"
SMALL = "--set num_round=60 --set early_stopping_rounds=10 --set eta=0.3"
ASKERS = 2
RANGES = {  # what the search on SageMaker may try: little, as every try is a job
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
class Scene:
    """What the acts share: the workspace, the AWS, the traffic once it runs, and what was seen so far."""

    work: Workspace
    aws: Rehearsed
    traffic: Traffic | None = None
    least_requests: int = 0

    def end_traffic(self) -> None:
        """Let everybody who asks finish."""
        if self.traffic:
            self.traffic.stop()

    def check_traffic(self) -> Tally:
        """Return what the askers have seen; raises `RehearsalError` at the first failed request."""
        tally = self.traffic.tally if self.traffic else Tally()
        if tally.failed:
            raise RehearsalError(f"{tally.failed} of {tally.requests:,} requests failed: {tally.failures}")
        return tally


def learn(scene: Scene) -> None:
    """Reviews become a release, on this machine."""
    work = scene.work
    work.training("data --generated 300", says=["test, positive"])
    work.training("prepare")
    work.training(f"train {SMALL}")
    work.training("release", says=["Evaluated on the official test once."])


def prepare_account(scene: Scene) -> None:
    """An empty account gets what is needed: a role and a bucket."""
    work = scene.work
    work.training("doctor", status=1)
    work.training("doctor --create --yes")
    work.training("quotas --request 'ml.m5.large for endpoint usage=20' --yes")
    work.training("upload --yes")
    work.training("upload --yes")


def learn_on_sagemaker(scene: Scene) -> None:
    """The same recipe on SageMaker, a search there, and a batch transform that agrees row for row."""
    work = scene.work
    (work.folder / "ranges.json").write_text(json.dumps(RANGES), encoding="utf-8")
    work.training(f"train --on sagemaker --name cloud {SMALL} --yes {STAGE}")
    work.training(
        f"tune --on sagemaker --name searched --max-jobs 4 --max-parallel 2 --ranges ranges.json --yes {STAGE}"
    )
    work.training(f"evaluate --on batch --test --yes {STAGE}")


def bring_up(scene: Scene) -> None:
    """The release goes behind an endpoint, the app in front of it, and people begin to ask."""
    work = scene.work
    work.training(
        f"deploy {STAGE} --instance-type ml.m5.large --count 2 --expire 4h --yes", says=["canary reviews", "in service"]
    )
    work.training(f"evaluate --on endpoint --test {STAGE}")
    work.chalice(f"deploy {STAGE}", says=["Rest API URL: https://"])
    work.training(f"status {STAGE}")
    scene.traffic = Traffic(scene.aws.site(), ASKERS)
    scene.traffic.__enter__()


def update(scene: Scene) -> None:
    """Another model takes over behind the same endpoint, a tenth of the traffic first."""
    work = scene.work
    work.training(f"train --name second {SMALL} --set seed=2")
    work.training("release --name second")
    work.training(f"update {STAGE} --shift canary --bake 5m --yes", says=["in service"])
    work.chalice(f"deploy {STAGE}")
    scene.check_traffic()


def compare(scene: Scene) -> None:
    """Two models share the traffic, weights shift, the winner takes all."""
    work = scene.work
    work.training("train --name linear --preset linear")
    work.training(f"split release=50 linear=50 {STAGE} --yes", says=["release 50%, linear 50%"])
    work.training(f"variants {STAGE} --ask 'the cast is superb'")
    scene.aws.wait_for(lambda: scene.check_traffic().variants["linear"] > 0, "the linear variant to answer")
    work.training(f"split release=10 linear=90 {STAGE}", says=["linear 90%"])
    work.training(f"split release=1 {STAGE} --drop-others --yes", says=["release 100%"])
    scene.check_traffic()


def go_back(scene: Scene) -> None:
    """The release before comes back, with the app that belongs to it."""
    first = next(iter(scene.check_traffic().releases))
    scene.work.training(f"rollback {STAGE} --yes", says=[f"hold release {first} again"])
    scene.work.chalice(f"deploy {STAGE}")
    scene.check_traffic()


def change_vocabulary(scene: Scene) -> None:
    """Another vocabulary gets an endpoint beside the old one; `chalice deploy` switches; and back again."""
    work = scene.work
    work.training("data --generated 320")
    work.training("prepare")
    work.training(f"train --name other {SMALL}")
    work.training(f"split release=90 other=10 {STAGE} --yes", status=1, says=["would misread every row"])
    work.training("release --name other")
    work.training(f"update {STAGE} --yes", says=["Both answer now"])
    work.chalice(f"deploy {STAGE}")
    scene.aws.wait_for(lambda: len(scene.check_traffic().releases) >= 2, "the other release to answer")
    work.training(f"retire {STAGE} --idle 5m --yes")
    work.training(f"rollback {STAGE} --yes")
    work.chalice(f"deploy {STAGE}")
    scene.check_traffic()


def look_around(scene: Scene) -> None:
    """What is there, what it costs, what it said, and which release serves where."""
    work = scene.work
    work.training("status --all-stages")
    work.training(f"logs {STAGE}")
    work.training("releases --register verdict")


def bad_turns(scene: Scene) -> None:
    """What goes wrong ends in a clear message, and leaves nothing behind."""
    work, aws = scene.work, scene.aws
    with aws.going_wrong("CreateEndpoint", "fail"):
        work.training("deploy --stage dev --yes", status=1, says=["failed"])
    with aws.going_wrong("CreateEndpoint", "stuck"):
        work.training("deploy --stage dev --yes --max-minutes 0.05", status=1, says=["not in service after"])
    with aws.going_wrong("CreateEndpoint", "denied"):
        work.training("deploy --stage dev --yes", status=1, says=["may not sagemaker:CreateEndpoint"])
    with aws.going_wrong("CreateEndpoint", "limit"):
        work.training("deploy --stage dev --yes", status=1, says=["quota"])
    with aws.going_wrong("CreateTrainingJob", "fail"):
        work.training(f"train --on sagemaker --name failing {SMALL} --set seed=9 --yes --stage dev", status=1)
    _interrupted(scene)
    left = [name for name in aws.remaining() if "-dev-" in name and "endpoint" in name]
    if left:
        raise RehearsalError(f"A bad turn left {', '.join(left)} behind.")


def _interrupted(scene: Scene) -> None:
    """Ctrl-C in the middle of a deploy says how to go on; going on ends it; then it is taken down."""
    with scene.aws.going_wrong("CreateEndpoint", "slow"):
        process = scene.work.start("deploy --stage dev --yes")
        scene.aws.wait_for(
            lambda: any(":endpoint/verdict-dev-" in one for one in scene.aws.remaining()), "the endpoint"
        )
        process.send_signal(signal.SIGINT)
        text, _ = process.communicate(timeout=60)
    if process.returncode != 130 or "verdict deploy --stage dev" not in " ".join(text.split()):
        raise RehearsalError(f"An interrupted deploy ended with {process.returncode} and said: {text}")
    scene.work.training("deploy --stage dev --yes", says=["in service"])
    scene.work.training("teardown --stage dev --yes")


def take_down(scene: Scene) -> None:
    """Everything goes, and AWS itself is asked what is left."""
    scene.aws.wait_for(lambda: scene.check_traffic().requests >= scene.least_requests, "enough requests")
    scene.end_traffic()
    scene.work.training("teardown --all-stages --everything --yes")
    scene.work.training("teardown --all-stages --everything --yes")
    left = scene.aws.remaining()
    if left:
        raise RehearsalError(f"After teardown there is still: {', '.join(left)}.")


ACTS: dict[str, Callable[[Scene], None]] = {
    "reviews to a release": learn,
    "an account, made ready": prepare_account,
    "training on SageMaker": learn_on_sagemaker,
    "into service": bring_up,
    "an update": update,
    "two models on live traffic": compare,
    "a rollback": go_back,
    "another vocabulary, and back": change_vocabulary,
    "looking around": look_around,
    "bad turns": bad_turns,
    "taken down": take_down,
}
