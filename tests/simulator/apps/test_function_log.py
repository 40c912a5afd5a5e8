import json
from datetime import UTC, datetime, timedelta

from chalicelib import embedded_metrics
from simulator.apps.function_log import FunctionLog
from simulator.aws import SimulatedAws


def lines(aws: SimulatedAws, function: str) -> list[str]:
    events = aws.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
    return [event["message"] for event in events]


def test_all_lines_are_written_in_order_before_the_end(simulated_aws: SimulatedAws) -> None:
    log = FunctionLog(simulated_aws.client)
    tell = log.stream("us-east-1", "talking")
    for number in range(300):
        tell(f"line {number}")
    log.stop()
    assert lines(simulated_aws, "talking") == [f"line {number}" for number in range(300)]


def test_each_process_has_a_stream_of_its_own(simulated_aws: SimulatedAws) -> None:
    log = FunctionLog(simulated_aws.client)
    for _ in range(2):
        log.stream("us-east-1", "two-processes")("hello")
    log.stop()
    streams = simulated_aws.client("logs").describe_log_streams(logGroupName="/aws/lambda/two-processes")["logStreams"]
    assert len({stream["logStreamName"] for stream in streams}) == 2


def test_unwritable_log_blocks_nothing(simulated_aws: SimulatedAws) -> None:
    simulated_aws.fault_injector.inject("PutLogEvents", "denied", times=1)
    log = FunctionLog(simulated_aws.client)
    log.stream("us-east-1", "unheard")("lost")
    log.stop()
    assert lines(simulated_aws, "unheard") == []


def test_lines_in_the_embedded_metric_format_become_metrics(simulated_aws: SimulatedAws) -> None:
    now = datetime.now(UTC)
    fields = embedded_metrics.log_fields({"NotSure": [1, 0, 0, 1]}, "counted", "release", now.timestamp())
    log = FunctionLog(simulated_aws.client)
    write = log.stream("us-east-1", "counted")
    for line in ("START", json.dumps({"id": "1", **fields}), '{"_aws": "damaged"}'):
        write(line)
    log.stop()
    assert len(lines(simulated_aws, "counted")) == 3
    (point,) = simulated_aws.client("cloudwatch").get_metric_statistics(
        Namespace=embedded_metrics.NAMESPACE,
        MetricName="NotSure",
        Dimensions=[{"Name": "Stage", "Value": "counted"}, {"Name": "Variant", "Value": "release"}],
        StartTime=now - timedelta(minutes=1),
        EndTime=now + timedelta(minutes=1),
        Period=3600,
        Statistics=["Average", "SampleCount"],
    )["Datapoints"]
    assert (point["Average"], point["SampleCount"]) == (0.5, 4)
