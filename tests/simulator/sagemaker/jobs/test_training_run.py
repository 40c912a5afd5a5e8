"""Training jobs while the simulator stops, and slow jobs."""

import threading

from simulator.sagemaker.jobs.training_run import TRAINING_JOB
from tests.simulator.sagemaker.job_account import JobAccount


def test_simulator_stops_while_jobs_train(jobs: JobAccount) -> None:
    names = [jobs.start({"num_round": "100000", "early_stopping_rounds": "100000"}) for _ in range(2)]
    for name in names:
        jobs.wait_for_line(name, "train-error")
    backend = jobs.account.aws.backend()
    backend.stop()
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("work-")]
    for name in names:
        job = backend.find(TRAINING_JOB, name)
        assert job.facts["SecondaryStatus"] == "Training"
        assert "ModelArtifacts" not in job.facts
