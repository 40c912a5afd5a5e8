"""A simulated AWS account with a role, a bucket and the packaged model's archive."""

import json
from collections.abc import Iterator

import numpy as np
import pytest
import xgboost

from simulator.aws import SimulatedAws
from simulator.endpoint.local_endpoint import MODEL_FILE
from tests.simulator.sagemaker.account import BUCKET, ROLE, Account, pack


@pytest.fixture(scope="module")
def whole_account(running_aws: SimulatedAws) -> Account:
    """An account that the tests of a module share."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    iam, s3 = running_aws.client("iam"), running_aws.client("s3")
    role = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=pack({"xgboost-model": MODEL_FILE.read_bytes()}))
    return Account(running_aws, role)


@pytest.fixture
def account(whole_account: Account) -> Iterator[Account]:
    """The module's account; injected faults are removed after each test."""
    yield whole_account
    whole_account.aws.fault_injector.clear()


@pytest.fixture(scope="session")
def other_model() -> bytes:
    """A model as wide as the packaged model that scores every row about 0.5."""
    return _model(columns=6025)


@pytest.fixture(scope="session")
def narrow_model() -> bytes:
    """A model that refuses the packaged vocabulary's rows because they are too wide."""
    return _model(columns=3)


def _model(columns: int) -> bytes:
    rows = xgboost.DMatrix(np.zeros((2, columns)), label=[0, 1])
    return bytes(xgboost.train({"objective": "binary:logistic"}, rows, 1).save_raw("ubj"))
