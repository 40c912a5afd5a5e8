from simulator.apps.function_log import FunctionLog
from simulator.aws import SimulatedAws


def lines(aws: SimulatedAws, function: str) -> list[str]:
    events = aws.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
    return [event["message"] for event in events]


def test_all_lines_are_written_in_order_before_the_end(simulated_aws: SimulatedAws) -> None:
    log = FunctionLog(lambda region: simulated_aws.client("logs", region))
    tell = log.stream("us-east-1", "talking")
    for number in range(300):
        tell(f"line {number}")
    log.stop()
    assert lines(simulated_aws, "talking") == [f"line {number}" for number in range(300)]


def test_each_process_has_a_stream_of_its_own(simulated_aws: SimulatedAws) -> None:
    log = FunctionLog(lambda region: simulated_aws.client("logs", region))
    for _ in range(2):
        log.stream("us-east-1", "two-processes")("hello")
    log.stop()
    streams = simulated_aws.client("logs").describe_log_streams(logGroupName="/aws/lambda/two-processes")["logStreams"]
    assert len({stream["logStreamName"] for stream in streams}) == 2


def test_unwritable_log_blocks_nothing(simulated_aws: SimulatedAws) -> None:
    simulated_aws.fault_injector.inject("PutLogEvents", "denied", times=1)
    log = FunctionLog(lambda region: simulated_aws.client("logs", region))
    log.stream("us-east-1", "unheard")("lost")
    log.stop()
    assert lines(simulated_aws, "unheard") == []
