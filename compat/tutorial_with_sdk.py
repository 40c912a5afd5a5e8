"""The tutorial's steps with the SageMaker Python SDK 2, unpatched.

The environment directs the SDK to the simulator. The first step that behaves unlike AWS ends the run with an exception.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import sagemaker
from botocore.exceptions import ClientError
from sagemaker import image_uris
from sagemaker.deserializers import CSVDeserializer
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.predictor import Predictor
from sagemaker.serializers import CSVSerializer
from sagemaker.tuner import ContinuousParameter, HyperparameterTuner, IntegerParameter

from compat import generated_data
from compat.account import create_role
from compat.generated_data import Row, require_accurate

BUCKET = "sagemaker-us-east-1-123456789012"  # named, because the SDK calls STS at its public address for the default
PREFIX = "sentiment-xgboost"
INSTANCE = "ml.m4.xlarge"  # the tutorial's
CHUNK = 512  # rows of a request
HYPERPARAMETERS = {
    **{"objective": "binary:logistic", "num_round": 20, "early_stopping_rounds": 10, "eval_metric": "error"},
    **{"max_depth": 5, "eta": 0.2, "gamma": 4, "min_child_weight": 6, "subsample": 0.8},
}
_NAMED_IMAGES = ("1.7-1", "1.2-1", "1", "latest")


@dataclass
class Tutorial:
    """The session, the execution role, the uploaded channels and the rows that are predicted."""

    session: sagemaker.Session
    role: str
    folder: Path
    channels: dict[str, TrainingInput]
    test: list[Row]

    def estimator(self, version: str = "3.0-5", **changes: Any) -> Estimator:
        """Return an estimator of the built-in algorithm."""
        estimator = Estimator(
            image_uri=image_uris.retrieve("xgboost", self.session.boto_region_name, version),
            role=self.role,
            instance_count=1,
            instance_type=INSTANCE,
            output_path=f"s3://{self.session.default_bucket()}/{PREFIX}/output",
            sagemaker_session=self.session,
            **changes,
        )
        estimator.set_hyperparameters(**HYPERPARAMETERS)
        return estimator

    def predictor(self, endpoint: str) -> Predictor:
        """Return a predictor for csv rows."""
        return Predictor(endpoint, self.session, serializer=CSVSerializer(), deserializer=CSVDeserializer())


def start() -> Tutorial:
    """Create the session, the role and the bucket, and upload the csv channels."""
    session, folder = sagemaker.Session(default_bucket=BUCKET), Path(tempfile.mkdtemp())
    channels = {
        name: TrainingInput(upload(session, folder, f"{name}.csv", generated_data.csv(labelled)), content_type="csv")
        for name, labelled in _labelled().items()
    }
    return Tutorial(session, create_role(boto3.client("iam")), folder, channels, generated_data.rows(1200, seed=3))


def _labelled() -> dict[str, list[Row]]:
    return {"train": generated_data.rows(400, seed=1), "validation": generated_data.rows(200, seed=2)}


def upload(session: sagemaker.Session, folder: Path, name: str, text: str) -> str:
    """Upload a file to the session's bucket; returns its URL."""
    return str(session.upload_data(generated_data.write(folder, name, text), key_prefix=f"{PREFIX}/data"))


def fit(tutorial: Tutorial) -> Estimator:
    """Train on csv as the tutorial does, with the job's log; and on libsvm."""
    estimator = tutorial.estimator()
    estimator.fit(tutorial.channels)
    channels = {
        name: TrainingInput(
            upload(tutorial.session, tutorial.folder, f"{name}.libsvm", generated_data.libsvm(labelled)),
            content_type="text/libsvm",
        )
        for name, labelled in _labelled().items()
    }
    other = tutorial.estimator()
    other.fit(channels, wait=False)
    tutorial.session.logs_for_job(other.latest_training_job.name, wait=True, poll=1)
    return estimator


def fit_other_images(tutorial: Tutorial) -> None:
    """Train with the versions of the image that tutorials name."""
    for version in _NAMED_IMAGES:
        estimator = tutorial.estimator(version)
        estimator.fit(tutorial.channels, wait=False)
        tutorial.session.wait_for_job(estimator.latest_training_job.name, poll=1)


def attach(tutorial: Tutorial, estimator: Estimator) -> Estimator:
    """Continue with a training job of an earlier session."""
    attached = Estimator.attach(estimator.latest_training_job.name, tutorial.session)
    _require(attached.model_data == estimator.model_data, f"attach found {attached.model_data}.")
    return attached


def tune(tutorial: Tutorial) -> Estimator:
    """Tune, attach to the tuning job, and return the estimator of its best training job."""
    tuner = HyperparameterTuner(
        tutorial.estimator(),
        objective_metric_name="validation:error",
        objective_type="Minimize",
        max_jobs=4,
        max_parallel_jobs=2,
        hyperparameter_ranges={"max_depth": IntegerParameter(3, 6), "eta": ContinuousParameter(0.05, 0.5)},
    )
    tuner.fit(tutorial.channels)
    attached = HyperparameterTuner.attach(tuner.latest_tuning_job.name, tutorial.session)
    _require(attached.best_training_job() == tuner.best_training_job(), "attach found another best training job.")
    _require(len(attached.analytics().dataframe()) == 4, "the analytics do not list four training jobs.")
    return attached.best_estimator()


def transform(tutorial: Tutorial, estimator: Estimator) -> None:
    """Transform the test rows in a batch, and read the scores."""
    name = "test.csv"
    source = upload(tutorial.session, tutorial.folder, name, generated_data.features(tutorial.test))
    transformer = estimator.transformer(instance_count=1, instance_type=INSTANCE)
    transformer.transform(source, content_type="text/csv", split_type="Line", wait=False)
    tutorial.session.wait_for_transform_job(transformer.latest_transform_job.name, poll=1)
    output = tutorial.session.read_s3_file(*_bucket_and_key(f"{transformer.output_path}/{name}.out"))
    require_accurate([float(line) for line in output.split()], tutorial.test, "transform")


def _bucket_and_key(url: str) -> tuple[str, str]:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return bucket, key


def predict(predictor: Predictor, test: list[Row]) -> list[float]:
    """Predict in chunks as the tutorial does: `np.array_split` into requests of at most 512 rows."""
    features = np.array([row[1:] for row in test])
    chunks = np.array_split(features, int(features.shape[0] / CHUNK) + 1)
    return [float(cell) for chunk in chunks for row in predictor.predict(chunk) for cell in row if cell]


def deploy(tutorial: Tutorial, estimator: Estimator) -> None:
    """Deploy, predict in chunks, and delete."""
    predictor = estimator.deploy(
        initial_instance_count=1,
        instance_type=INSTANCE,
        serializer=CSVSerializer(),
        deserializer=CSVDeserializer(),
        wait=False,
    )
    _require_refused_deletion(tutorial.session, predictor.endpoint_name)
    tutorial.session.wait_for_endpoint(predictor.endpoint_name, poll=1)
    require_accurate(predict(predictor, tutorial.test), tutorial.test, "deploy")
    predictor.delete_model()
    predictor.delete_endpoint()


def _require_refused_deletion(session: sagemaker.Session, endpoint: str) -> None:
    """Exit unless an endpoint cannot be deleted while it is created."""
    try:
        session.delete_endpoint(endpoint)
    except ClientError as error:
        _require("in-progress" in str(error), str(error))
    else:
        raise SystemExit("deploy: an endpoint was deleted while it was Creating.")


def split_and_update(tutorial: Tutorial, estimators: list[Estimator]) -> None:
    """Deploy two models on one endpoint, shift to one of them, and delete everything: the low-level steps."""
    session, client = tutorial.session, tutorial.session.sagemaker_client
    models = [session.create_model_from_job(estimator.latest_training_job.name) for estimator in estimators]
    variants = [
        sagemaker.production_variant(model, INSTANCE, initial_weight=1, variant_name=f"Model-{number}")
        for number, model in enumerate(models)
    ]
    names = [f"{PREFIX}-split", f"{PREFIX}-single"]
    for name, chosen in zip(names, (variants, variants[:1]), strict=True):
        client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=chosen)
    session.create_endpoint(PREFIX, names[0], wait=False)
    session.wait_for_endpoint(PREFIX, poll=1)
    _require(_answering(tutorial) == {"Model-0", "Model-1"}, "the split endpoint has not two variants.")
    session.update_endpoint(PREFIX, names[1], wait=False)
    session.wait_for_endpoint(PREFIX, poll=1)
    require_accurate(predict(tutorial.predictor(PREFIX), tutorial.test), tutorial.test, "update")
    _require(_answering(tutorial) == {"Model-0"}, "the update did not remove a variant.")
    session.delete_endpoint(PREFIX)
    client.get_waiter("endpoint_deleted").wait(EndpointName=PREFIX, WaiterConfig={"Delay": 1})
    for name in names:
        session.delete_endpoint_config(name)
    for model in models:
        session.delete_model(model)


def _answering(tutorial: Tutorial) -> set[str]:
    """Return the variants that answer 40 requests."""
    body = generated_data.features(tutorial.test[:1])
    answers = [
        tutorial.session.sagemaker_runtime_client.invoke_endpoint(
            EndpointName=PREFIX, ContentType="text/csv", Body=body
        )
        for _ in range(40)
    ]
    return {answer["InvokedProductionVariant"] for answer in answers}


def _require(holds: bool, failure: str) -> None:
    if not holds:
        raise SystemExit(failure)


def main() -> None:
    """Run the steps in the tutorial's order."""
    tutorial = start()
    estimator = fit(tutorial)
    fit_other_images(tutorial)
    attached = attach(tutorial, estimator)
    transform(tutorial, attached)
    best = tune(tutorial)
    transform(tutorial, best)
    deploy(tutorial, best)
    split_and_update(tutorial, [estimator, best])


if __name__ == "__main__":
    main()
