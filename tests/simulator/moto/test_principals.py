from simulator.aws import SimulatedAws

WHO = "arn:aws:iam::123456789012:user/rehearsal"
ACTIONS = ["sagemaker:CreateEndpoint", "sagemaker:DeleteEndpoint"]


def decisions(aws: SimulatedAws, *resources: str) -> list[tuple[str, str, str]]:
    pages = aws.client("iam").get_paginator("simulate_principal_policy")
    parameters = {"PolicySourceArn": WHO, "ActionNames": ACTIONS} | ({"ResourceArns": resources} if resources else {})
    results = [one for page in pages.paginate(**parameters) for one in page["EvaluationResults"]]
    return [(one["EvalActionName"], one["EvalResourceName"], one["EvalDecision"]) for one in results]


def test_all_actions_are_allowed_by_default(simulated_aws: SimulatedAws) -> None:
    assert decisions(simulated_aws) == [(action, "*", "allowed") for action in ACTIONS]


def test_denied_actions_are_reported_for_each_resource(simulated_aws: SimulatedAws) -> None:
    simulated_aws.fault_injector.inject("DeleteEndpoint", "denied", times=1)
    simulated_aws.fault_injector.inject("CreateEndpoint", "stuck")
    for _ in range(2):
        assert decisions(simulated_aws, "arn:a&b", "arn:c") == [
            (ACTIONS[0], "arn:a&b", "allowed"),
            (ACTIONS[0], "arn:c", "allowed"),
            (ACTIONS[1], "arn:a&b", "implicitDeny"),
            (ACTIONS[1], "arn:c", "implicitDeny"),
        ]
