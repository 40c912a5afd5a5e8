"""The CloudFormation template that `verdict package` writes, checked by `chalice package` and `cfn-lint`."""

import json
import re
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from chalicelib import endpoint, release
from chalicelib.documents import problem
from chalicelib.embedded_metrics import METRICS, NAMESPACE
from chalicelib.endpoint_errors import SLOW, EndpointError
from chalicelib.errors import BodyTooLargeError, NotFoundError, SentimentError
from cli.aws.package import command
from operations.aws import names
from operations.aws.names import NameRefusedError
from operations.feedback import app_settings
from operations.packaging import package as step
from simulator.apps.lambda_package import package_project

# W2531 warns that a runtime is close to its end of support, which depends on the date.
IGNORED = ("W2531",)
FAILURE_ALARMS = {"FunctionErrors", "FunctionThrottles", "SlowAnswers", "ServerErrors"}
DRIFT_ALARMS = {"UnusualVerdicts", "ManyNotSure", "FewKnownWords"}
ALARMS = FAILURE_ALARMS | DRIFT_ALARMS
CONTEXT = {"$context.requestId": "c6af9ac6-7b61", "$context.error.messageString": '"Forbidden"'}
STAGES = tuple(json.loads(Path(step.ROOT / ".chalice" / "config.json").read_text(encoding="utf-8"))["stages"])


@pytest.fixture(scope="module", params=STAGES)
def stage(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def path(stage: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package_project(tmp_path_factory.mktemp(stage), stage).template


@pytest.fixture(scope="module")
def template(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return read


@pytest.fixture(scope="module")
def resources(template: dict[str, Any]) -> dict[str, Any]:
    """Logical id -> properties."""
    return {name: resource["Properties"] for name, resource in template["Resources"].items()}


def gateway_response(resources: dict[str, Any], kind: str) -> dict[str, Any]:
    responses = resources["RestAPI"]["DefinitionBody"]["x-amazon-apigateway-gateway-responses"]
    response: dict[str, Any] = responses[kind]
    return response


def gateway_body(resources: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return a gateway response's body with the context variables substituted."""
    body = gateway_response(resources, kind)["responseTemplates"]["application/json"]
    for name, value in CONTEXT.items():
        body = body.replace(name, value)
    assert "$" not in body
    document: dict[str, Any] = json.loads(body)
    return document


def test_cfn_lint_reports_no_problem(path: Path) -> None:
    command = [Path(sys.executable).with_name("cfn-lint"), "--ignore-checks", *IGNORED, "--", path]
    completed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (completed.returncode, completed.stdout, completed.stderr) == (0, "", "")


def test_the_resources_of_chalice_are_kept(template: dict[str, Any]) -> None:
    assert template["Resources"].keys() >= {"RestAPI", "APIHandler", "APIHandlerInvokePermission", "ApiHandlerRole"}
    definition = template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
    assert definition["paths"].keys() >= {"/", "/predict", "/health", "/ready", "/static/{name}"}


def test_the_function_has_its_stage_and_tags(resources: dict[str, Any], stage: str) -> None:
    function = resources["APIHandler"]
    assert function["Environment"]["Variables"]["VERDICT_STAGE"] == stage
    assert function["Tags"].items() >= {"verdict:app": "verdict", "verdict:stage": stage}.items()
    assert 10 < function["Timeout"] < endpoint.GATEWAY_SECONDS
    assert function["MemorySize"] >= 512


def test_the_function_may_only_invoke_its_endpoints_and_write_its_log(
    resources: dict[str, Any], stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VERDICT_STAGE", stage)
    name = endpoint.endpoint_name(release.load().encoder.fingerprint)
    log = resources["FunctionLog"]["LogGroupName"]
    (policy,) = resources["ApiHandlerRole"]["Policies"]
    invoking, writing = policy["PolicyDocument"]["Statement"]
    assert invoking["Action"] == "sagemaker:InvokeEndpoint"
    for partition in ("aws", "aws-cn", "aws-us-gov"):
        assert fnmatchcase(f"arn:{partition}:sagemaker:eu-west-1:123456789012:endpoint/{name}", invoking["Resource"])
    assert invoking["Resource"].endswith(f":endpoint/verdict-{stage}-*")
    assert set(writing["Action"]) == {"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}
    logs = "logs:eu-west-1:123456789012:log-group"
    for arn in (f"arn:aws:{logs}:{log}", f"arn:aws:{logs}:{log}:log-stream:2026/x", f"arn:aws-cn:{logs}:{log}"):
        assert any(fnmatchcase(arn, allowed) for allowed in writing["Resource"])
    others = (f"arn:aws:{logs}:{log}2", f"arn:aws:{logs}:{log}2:log-stream:2026/x")
    assert not any(fnmatchcase(arn, allowed) for arn in others for allowed in writing["Resource"])


def test_the_function_may_write_feedback_only_if_there_is_a_table(template: dict[str, Any], stage: str) -> None:
    policy = template["Resources"]["FeedbackPolicy"]
    assert template["Conditions"][policy["Condition"]] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "FeedbackTable"}, ""]}]}
    assert template["Parameters"]["FeedbackTable"]["Default"] == ""
    assert policy["Properties"]["Roles"] == [{"Ref": "ApiHandlerRole"}]
    arn = {"Fn::Sub": "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${FeedbackTable}"}
    document = json.dumps(policy["Properties"]["PolicyDocument"]).replace(json.dumps(arn), '"ARN"')
    assert json.loads(document) == app_settings.write_policy("ARN")
    assert re.fullmatch(template["Parameters"]["FeedbackTable"]["AllowedPattern"], names.feedback_table(stage))


def test_the_settings_of_feedback_are_parameters_and_no_secret(template: dict[str, Any]) -> None:
    assert not [name for name, parameter in template["Parameters"].items() if parameter.get("NoEcho")]
    variables = template["Resources"]["APIHandler"]["Properties"]["Environment"]["Variables"]
    assert {name for name, value in variables.items() if isinstance(value, dict)} == set(app_settings.VARIABLES)
    committed = Path(step.ROOT / ".chalice" / "config.json").read_text(encoding="utf-8")
    assert "VERDICT_FEEDBACK" not in committed


def test_the_log_group_precedes_the_function_and_keeps_30_days(template: dict[str, Any]) -> None:
    function, log = template["Resources"]["APIHandler"], template["Resources"]["FunctionLog"]
    assert log["Properties"]["LogGroupName"] == f"/aws/lambda/{function['Properties']['FunctionName']}"
    assert log["Properties"]["RetentionInDays"] == 30
    assert log["DeletionPolicy"] == "Delete"
    assert function["DependsOn"] == ["FunctionLog"]


def test_alarms_watch_the_function_and_the_stage(resources: dict[str, Any], stage: str) -> None:
    watched = {name: resources[name] for name in FAILURE_ALARMS}
    metrics = {(alarm["Namespace"], alarm["MetricName"]): alarm for alarm in watched.values()}
    assert metrics.keys() == {
        ("AWS/Lambda", "Errors"),
        ("AWS/Lambda", "Throttles"),
        ("AWS/ApiGateway", "Latency"),
        ("AWS/ApiGateway", "5XXError"),
    }
    api_name = resources["RestAPI"]["DefinitionBody"]["info"]["title"]
    expected = {
        "AWS/Lambda": [{"Name": "FunctionName", "Value": {"Ref": "APIHandler"}}],
        "AWS/ApiGateway": [{"Name": "ApiName", "Value": api_name}, {"Name": "Stage", "Value": stage}],
    }
    assert all(alarm["Dimensions"] == expected[alarm["Namespace"]] for alarm in watched.values())
    assert resources["RestAPI"]["StageName"] == stage
    assert metrics["AWS/ApiGateway", "Latency"]["ExtendedStatistic"] == "p95"


def test_drift_alarms_watch_the_metrics_that_the_app_reports(resources: dict[str, Any], stage: str) -> None:
    for name in DRIFT_ALARMS:
        expression, *metrics = resources[name]["Metrics"]
        assert expression["ReturnData"]
        assert "verdicts >= 50" in expression["Expression"]
        for metric in metrics:
            watched = metric["MetricStat"]["Metric"]
            assert (watched["Namespace"], watched["MetricName"] in METRICS) == (NAMESPACE, True)
            assert watched["Dimensions"] == [{"Name": "Stage", "Value": stage}]
            assert metric["Id"] in expression["Expression"]
    assert resources["FewKnownWords"]["Threshold"] == release.load().facts.few_known_words


def test_alarms_notify_the_topic_if_there_is_one(template: dict[str, Any]) -> None:
    assert template["Parameters"]["AlarmTopicArn"]["Default"] == ""
    pattern = template["Parameters"]["AlarmTopicArn"]["AllowedPattern"]
    assert re.fullmatch(pattern, "")
    assert re.fullmatch(pattern, "arn:aws:sns:eu-west-1:123456789012:alarms")
    assert not re.fullmatch(pattern, "alarms@example.org")
    for name in ALARMS:
        condition, topics, none = template["Resources"][name]["Properties"]["AlarmActions"]["Fn::If"]
        assert condition in template["Conditions"]
        assert (topics, none) == ([{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"})


def test_the_only_stage_is_throttled(template: dict[str, Any]) -> None:
    api = template["Resources"]["RestAPI"]["Properties"]
    (throttle,) = api["MethodSettings"]
    assert (throttle["ResourcePath"], throttle["HttpMethod"]) == ("/*", "*")
    limits = (throttle["ThrottlingRateLimit"]["Ref"], throttle["ThrottlingBurstLimit"]["Ref"])
    assert all(template["Parameters"][name]["Default"] > 0 for name in limits)
    assert api["OpenApiVersion"] == api["DefinitionBody"]["swagger"]


def test_the_gateway_reports_an_unknown_path_as_the_app_does(resources: dict[str, Any]) -> None:
    unknown = gateway_response(resources, "MISSING_AUTHENTICATION_TOKEN")
    body = gateway_body(resources, "MISSING_AUTHENTICATION_TOKEN")
    assert unknown["statusCode"] == "404"
    assert unknown["responseParameters"]["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
    assert body == problem(NotFoundError(body["detail"]), CONTEXT["$context.requestId"])


@pytest.mark.parametrize(
    ("kind", "error"),
    [("REQUEST_TOO_LARGE", BodyTooLargeError("")), ("INTEGRATION_TIMEOUT", EndpointError(SLOW, "IntegrationTimeout"))],
)
def test_a_gateway_response_matches_the_apps_error(resources: dict[str, Any], kind: str, error: SentimentError) -> None:
    response = gateway_response(resources, kind)
    body = gateway_body(resources, kind)
    error.detail = body["detail"]
    assert body == problem(error, CONTEXT["$context.requestId"])
    assert response["statusCode"] == str(error.status)
    retry_after = response["responseParameters"].get("gatewayresponse.header.Retry-After")
    assert retry_after == (f"'{error.retry_after_seconds}'" if error.retry_after_seconds else None)


def test_a_throttled_request_is_a_problem_document(resources: dict[str, Any]) -> None:
    body = gateway_body(resources, "THROTTLED")
    assert (body["type"], body["status"]) == ("urn:verdict:problem:too-many-requests", 429)
    assert gateway_response(resources, "THROTTLED")["statusCode"] == "429"


@pytest.mark.parametrize("kind", ["DEFAULT_4XX", "DEFAULT_5XX"])
def test_a_default_response_keeps_its_status_and_the_gateways_message(resources: dict[str, Any], kind: str) -> None:
    body = gateway_body(resources, kind)
    assert body["detail"] == "Forbidden"
    assert body.keys() == problem(SentimentError(""), "").keys() - {"status"}
    assert "statusCode" not in gateway_response(resources, kind)


def test_gateway_responses_allow_cross_origin_requests(resources: dict[str, Any]) -> None:
    responses = resources["RestAPI"]["DefinitionBody"]["x-amazon-apigateway-gateway-responses"]
    allowed = {
        kind: response["responseParameters"]["gatewayresponse.header.Access-Control-Allow-Origin"]
        for kind, response in responses.items()
    }
    assert allowed.keys() >= {"DEFAULT_4XX", "DEFAULT_5XX", "THROTTLED", "MISSING_AUTHENTICATION_TOKEN"}
    assert set(allowed.values()) == {"'*'"}


def test_the_dashboard_shows_alarms_function_gateway_and_endpoint(
    resources: dict[str, Any], stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VERDICT_STAGE", stage)
    name = endpoint.endpoint_name(release.load().encoder.fingerprint)
    dashboard = resources["Dashboard"]
    shown = json.loads(dashboard["DashboardBody"]["Fn::Sub"])["widgets"]
    text = json.dumps(shown)
    assert dashboard["DashboardName"] == f"verdict-{stage}"
    assert all(f"${{{alarm}.Arn}}" in text for alarm in ALARMS)
    assert "${APIHandler}" in text
    assert {"Invocations", "Errors", "Duration", "Count", "4XXError", "5XXError", "Latency"} <= set(text.split('"'))
    searches = [line[0]["expression"] for widget in shown for line in lines_of(widget) if isinstance(line[0], dict)]
    assert all(f'EndpointName="{name}"' in search or f'Stage="{stage}"' in search for search in searches)
    found = {name for search in searches for name in re.findall(r'MetricName="(\w+)"', search)}
    assert found >= {"Invocations", "ModelLatency", "Invocation5XXErrors"}


def lines_of(widget: dict[str, Any]) -> list[list[Any]]:
    lines: list[list[Any]] = widget["properties"].get("metrics", [])
    return lines


def test_dashboard_widgets_do_not_overlap(resources: dict[str, Any]) -> None:
    widgets = json.loads(resources["Dashboard"]["DashboardBody"]["Fn::Sub"])["widgets"]
    cells = [
        (x, y)
        for widget in widgets
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def test_an_unknown_stage_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["--stage", "staging", "--into", str(tmp_path / "out")])
    assert isinstance(result.exception, step.PackagingError)
    assert result.exception.detail == "There is no stage 'staging' in .chalice/config.json. It has: dev, prod."
    assert not (tmp_path / "out").exists()


def test_an_error_of_chalice_is_reported(tmp_path: Path) -> None:
    project = tmp_path / "project"
    package_project(tmp_path)
    (project / "app.py").write_text("import nothing_like_this\n", encoding="utf-8")
    with pytest.raises(step.PackagingError, match="nothing_like_this"):
        step.package("dev", tmp_path / "out", project)


def test_an_invalid_stage_name_is_refused() -> None:
    with pytest.raises(NameRefusedError):
        step.stack_template("Prod_1", "0123456789ab", 0.9)
