"""`verdict feedback` on the simulated AWS: what each action creates, changes, writes and deletes."""

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from chalicelib import feedback as app_feedback
from chalicelib.receipt_key import ITEM_ID
from cli.aws.feedback import command
from cli.aws.teardown import command as teardown_command
from cli.review_source import read_source
from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.aws.plan import DeclinedError
from operations.feedback import app_settings, table
from operations.inventory import deployed_app, inventory
from operations.inventory.resources import Kind
from operations.inventory.search import Search
from operations.setup import checks
from operations.teardown.teardown import Scope, all_deletions, teardown
from simulator.aws import SimulatedAws
from tests.operations.apps import create_app
from tests.operations.existing import printed
from training.data.reviews import DataError

STAGE, TABLE = "fb", "verdict-fb-feedback"


@pytest.fixture(autouse=True)
def account(simulated: SimulatedAws, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let commands find the simulated AWS, and begin each test without a table and an app."""
    for name, value in simulated.environment.items():
        monkeypatch.setenv(name, value)
    yield
    table.delete(aws, TABLE, STAGE)
    for function in simulated.client("lambda").list_functions()["Functions"]:
        simulated.client("lambda").delete_function(FunctionName=function["FunctionName"])


def run(*arguments: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(command, ["--stage", STAGE, *arguments], input=answer)


def variables(aws: Aws) -> dict[str, str]:
    """Return the app's environment variables."""
    found = app_settings.find_function(aws.account, STAGE)
    assert found
    return dict(found.variables)


def put(aws: Aws, review: str, correction: str = "mixed", now: float = 1_795_779_000.0) -> str:
    """Store a record as the app does; returns its id."""
    given = app_feedback.answer(review, "positive", 0.97, "abc-def", "trees")
    item = app_feedback.record(given, review, correction, "feedback" if correction else "sample", 3650, now)
    app_feedback.put(aws.account.client("dynamodb"), TABLE, item)
    return given.id


def stored_key(aws: Aws) -> str:
    """Return the key of receipts that the table holds."""
    item = aws.account.client("dynamodb").get_item(TableName=TABLE, Key={"id": {"S": ITEM_ID}})["Item"]
    return str(item["key"]["S"])


def reviews(aws: Aws) -> set[str]:
    return {record.review for record in table.read_feedback(aws, TABLE)}


def test_enable_shows_the_price_and_asks_first(aws: Aws) -> None:
    create_app(aws, STAGE)
    result = run("enable", answer="n\n")
    assert isinstance(result.exception, DeclinedError)
    assert f"encrypted, with backups and expiry {TABLE}: by use: writes, storage and backups" in result.stderr
    assert "feedback, for 90 days, kept by the operator of this site" in result.stderr
    assert table.describe(aws.account, TABLE) is None
    assert variables(aws) == {}


def test_enable_creates_the_table_and_sets_the_app_up(aws: Aws) -> None:
    create_app(aws, STAGE)
    result = run("enable", "--collect-share", "0.02", "--days", "30", "--operator", "Example Ltd", "--yes")
    assert result.exit_code == 0, result.output
    assert re.fullmatch("[0-9a-f]{64}", stored_key(aws))
    assert variables(aws) == {
        "VERDICT_FEEDBACK": TABLE,
        "VERDICT_FEEDBACK_DAYS": "30",
        "VERDICT_FEEDBACK_OPERATOR": "Example Ltd",
        "VERDICT_COLLECT_SHARE": "0.02",
    }
    assert table.missing_protections(aws.account, TABLE) == []


def test_the_app_may_only_put_items_and_read_the_key(aws: Aws) -> None:
    create_app(aws, STAGE)
    run("enable", "--yes")
    iam = aws.account.client("iam")
    policy = iam.get_role_policy(RoleName=f"verdict-{STAGE}-api_handler", PolicyName=TABLE)["PolicyDocument"]
    write, read = policy["Statement"]
    assert (write["Effect"], write["Action"]) == ("Allow", "dynamodb:PutItem")
    assert (read["Effect"], read["Action"]) == ("Allow", "dynamodb:GetItem")
    assert read["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [ITEM_ID]}}
    arn = "arn:aws:dynamodb:us-east-1:123456789012:table/verdict-fb-feedback"
    for statement in (write, read):
        assert fnmatchcase(arn, statement["Resource"])
        assert not fnmatchcase(f"{arn}2", statement["Resource"])


def test_the_key_is_kept_and_the_settings_survive_a_new_deployment(aws: Aws) -> None:
    create_app(aws, STAGE)
    run("enable", "--days", "30", "--yes")
    before, key = variables(aws), stored_key(aws)
    run("enable", "--yes")
    assert (variables(aws), stored_key(aws)) == (before, key)
    aws.account.client("lambda").update_function_configuration(  # as `chalice deploy` does
        FunctionName=f"verdict-{STAGE}", Environment={"Variables": {"VERDICT_STAGE": STAGE}}
    )
    assert "`chalice deploy` has reset" in checks.check_feedback(aws.account, STAGE).found
    run("enable", "--again", "--yes")
    assert variables(aws).keys() == {"VERDICT_STAGE", *before}
    assert (variables(aws)["VERDICT_FEEDBACK_DAYS"], stored_key(aws)) == ("30", key)
    assert checks.check_feedback(aws.account, STAGE).state == checks.OK


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration of Chalice with the stage, in the current folder."""
    path = tmp_path / ".chalice" / "config.json"
    path.parent.mkdir()
    stages = {STAGE: {"environment_variables": {"VERDICT_STAGE": STAGE, "MINE": "é"}}, "dev": {}}
    path.write_text(json.dumps({"version": "2.0", "stages": stages}))
    monkeypatch.chdir(tmp_path)
    return path


def test_enable_writes_the_settings_without_the_key_for_later_deployments(aws: Aws, config: Path) -> None:
    create_app(aws, STAGE)
    before = json.loads(config.read_text())
    shown = run("enable", "--days", "30", "--yes").stderr
    assert "Commit .chalice/config.json" in shown
    assert f"{config.relative_to(config.parents[1])}, stage {STAGE}" in " ".join(shown.split())
    written = json.loads(config.read_text())["stages"][STAGE]["environment_variables"]
    assert written == {"VERDICT_STAGE": STAGE, "MINE": "é", **variables(aws)}
    assert stored_key(aws) not in config.read_text()
    assert checks.check_feedback(aws.account, STAGE).found.endswith("the app collects")
    assert "Commit" not in run("enable", "--yes").stderr
    run("disable", "--yes")
    assert json.loads(config.read_text()) == before


def test_a_deleted_table_leaves_no_settings(config: Path) -> None:
    run("enable", "--yes")
    before = json.loads(config.read_text())
    arguments = ["--stage", STAGE, "--no-app", "--yes"]
    kept = CliRunner().invoke(teardown_command, arguments)
    assert (kept.exit_code, json.loads(config.read_text())) == (0, before), kept.output
    deleted = CliRunner().invoke(teardown_command, [*arguments, "--with", "feedback"])
    assert deleted.exit_code == 0, deleted.output
    assert "Removed the settings of feedback from .chalice/config.json" in " ".join(deleted.stderr.split())
    assert "VERDICT_FEEDBACK" not in config.read_text()


def test_a_stage_that_chalice_does_not_know_must_be_enabled_again(aws: Aws) -> None:
    create_app(aws, STAGE)
    assert f"After each `chalice deploy`, run: verdict feedback enable --stage {STAGE} --again" in " ".join(
        run("enable", "--yes").stderr.split()
    )
    assert "until the next `chalice deploy`" in checks.check_feedback(aws.account, STAGE).found


def test_doctor_reports_an_app_without_key_or_permission(aws: Aws) -> None:
    create_app(aws, STAGE)
    run("enable", "--yes")
    aws.account.client("dynamodb").delete_item(TableName=TABLE, Key={"id": {"S": ITEM_ID}})
    check = checks.check_feedback(aws.account, STAGE)
    assert (check.state, check.found) == (checks.MISSING, f"{TABLE} has no key for receipts")
    aws.account.client("iam").delete_role_policy(RoleName=f"verdict-{STAGE}-api_handler", PolicyName=TABLE)
    assert "may not use" in checks.check_feedback(aws.account, STAGE).found
    run("enable", "--again", "--yes")
    assert checks.check_feedback(aws.account, STAGE).state == checks.OK


def test_enable_again_does_nothing_if_it_was_never_enabled(aws: Aws) -> None:
    result = run("enable", "--again", "--yes")
    assert "Feedback was not enabled in stage fb." in result.stderr
    assert table.describe(aws.account, TABLE) is None


def test_a_stack_has_parameters_instead(aws: Aws) -> None:
    create_app(aws, STAGE, **{"verdict:app": "verdict", "aws:cloudformation:stack-name": "verdict-fb"})
    result = run("enable", "--yes")
    assert f"--parameter-overrides FeedbackTable={TABLE} FeedbackDays=90" in result.stderr
    assert variables(aws) == {}
    key = stored_key(aws)
    assert re.fullmatch("[0-9a-f]{64}", key)
    run("enable", "--yes")
    assert stored_key(aws) == key


def test_without_an_app_only_the_table_is_created(aws: Aws) -> None:
    assert "has no app yet" in run("enable", "--yes").stderr
    assert table.describe(aws.account, TABLE)


def test_disable_removes_settings_and_permission_and_keeps_the_table(aws: Aws) -> None:
    create_app(aws, STAGE)
    run("enable", "--yes")
    put(aws, "Good.")
    result = run("disable", "--yes")
    assert result.exit_code == 0, result.output
    assert variables(aws) == {}
    policies = aws.account.client("iam").list_role_policies(RoleName=f"verdict-{STAGE}-api_handler")["PolicyNames"]
    assert TABLE not in policies
    assert reviews(aws) == {"Good."}
    assert "was not enabled" in run("enable", "--again", "--yes").stderr


def test_status_counts_records_by_verdict_and_correction(aws: Aws) -> None:
    assert "Feedback is off in stage fb" in run("status").stdout
    create_app(aws, STAGE)
    run("enable", "--collect-share", "0.02", "--yes")
    for review, correction in {"a": "mixed", "b": "mixed", "c": "", "d": "positive"}.items():
        put(aws, review, correction)
    shown = run("status").stdout
    assert "verdict positive: no answer 1, mixed 2, positive 1" in shown
    assert "2% of all reviews are stored too" in shown
    assert "The app collects feedback." in shown
    document = json.loads(run("status", "--json").stdout)
    assert (document["records"], document["app"], document["missing"]) == (4, "on", [])


def test_the_key_of_receipts_is_no_record(aws: Aws, tmp_path: Path) -> None:
    create_app(aws, STAGE)
    run("enable", "--yes")
    key, out = stored_key(aws), tmp_path / "feedback.jsonl"
    assert f"Table {TABLE}: 0 records" in run("status").stdout
    assert json.loads(run("status", "--json").stdout)["records"] == 0
    assert "Wrote 0 records" in run("export", "--out", str(out)).stderr
    assert out.read_text() == ""
    (found,) = inventory.take(aws.account, STAGE).of(Kind.FEEDBACK_TABLE)
    assert found.state == "about 0 records"
    for arguments in (["--before", "2100-01-01"], ["--id", ITEM_ID]):
        assert "no such records" in run("delete", *arguments, "--yes").stderr
    assert table.delete_records(aws, TABLE, [ITEM_ID]) == 0
    put(aws, "Good.")
    assert "Deleted: 1 record." in run("delete", "--before", "2100-01-01", "--yes").stderr
    assert stored_key(aws) == key


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_export_writes_a_file(aws: Aws, tmp_path: Path, suffix: str) -> None:
    run("enable", "--yes")
    put(aws, "Good.")
    out = tmp_path / f"feedback.{suffix}"
    result = run("export", "--out", str(out))
    assert "Wrote 1 record to" in result.stderr
    assert "Good." in out.read_text()


def test_the_export_of_a_missing_table_writes_nothing(tmp_path: Path) -> None:
    result = run("export", "--out", str(tmp_path / "feedback.csv"))
    assert isinstance(result.exception, AwsError)
    assert "nothing was collected" in result.exception.detail
    assert list(tmp_path.iterdir()) == []


def test_records_are_deleted_by_time_or_id_after_a_confirmation(aws: Aws) -> None:
    run("enable", "--yes")
    put(aws, "Old.", now=1_795_692_600.0)  # 2026-11-26
    by_id = put(aws, "Wrong.")
    put(aws, "Good.")
    assert isinstance(run("delete", "--before", "2026-11-27", answer="n\n").exception, DeclinedError)
    assert reviews(aws) == {"Old.", "Wrong.", "Good."}
    assert "Deleted: 1 record." in run("delete", "--before", "2026-11-27", "--yes").stderr
    assert "Deleted: 1 record." in run("delete", "--id", by_id, "--yes").stderr
    assert reviews(aws) == {"Good."}
    assert "no such records" in run("delete", "--id", by_id, "--yes").stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["delete", "--yes"], "Use either --before or --id."),
        (["delete", "--before", "yesterday"], "is not a time"),
        (["export", "--before", "2026-11-27"], "--before does not apply to `export`"),
        (["status", "--days", "3"], "--days does not apply to `status`"),
        (["enable", "--collect-share", "2"], "not in the range"),
    ],
)
def test_options_of_another_action_are_refused(arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_an_operator_that_a_tag_cannot_hold_is_refused() -> None:
    result = run("enable", "--operator", "<b>", "--yes")
    assert isinstance(result.exception, AwsError)


def test_doctor_reports_an_app_without_its_table(aws: Aws) -> None:
    assert checks.check_feedback(aws.account, STAGE).found == "off"
    create_app(aws, STAGE)
    run("enable", "--yes")
    table.delete(aws, TABLE, STAGE)
    check = checks.check_feedback(aws.account, STAGE)
    assert (check.state, check.remedy) == (checks.MISSING, "verdict feedback enable --stage fb")


def test_doctor_reports_a_table_without_expiry(aws: Aws) -> None:
    run("enable", "--yes")
    client = aws.account.client("dynamodb")
    client.update_time_to_live(TableName=TABLE, TimeToLiveSpecification={"Enabled": False, "AttributeName": "expires"})
    assert checks.check_feedback(aws.account, STAGE).found == f"{TABLE} lacks expiry"
    run("enable", "--yes")
    assert checks.check_feedback(aws.account, STAGE).state == checks.OK


def test_the_inventory_has_the_table_and_its_price(aws: Aws) -> None:
    run("enable", "--yes")
    (found,) = inventory.take(aws.account, STAGE).of(Kind.FEEDBACK_TABLE)
    assert (found.name, found.stage) == (TABLE, STAGE)
    assert "by use: writes, storage and backups" in found.line_with_cost
    assert inventory.take(aws.account, "f").of(Kind.FEEDBACK_TABLE) == []


def test_an_app_that_collects_is_still_found_with_its_role(aws: Aws) -> None:
    create_app(aws, STAGE)
    run("enable", "--yes")
    (app,) = deployed_app.apps(Search(aws.account, STAGE))
    assert "api_handler_role" in app.facts["parts"]


def test_teardown_deletes_the_table_only_on_request(aws: Aws) -> None:
    run("enable", "--yes")
    teardown(aws, Scope(STAGE, app=False), True, all_deletions())
    assert table.describe(aws.account, TABLE)
    assert f"Delete it: verdict teardown --stage {STAGE} --with feedback" in printed(aws)
    teardown(aws, Scope(STAGE, optional=("feedback",), app=False), True, all_deletions())
    assert table.describe(aws.account, TABLE) is None
    assert "DynamoDB keeps a backup of it for 35 days" in printed(aws)


def test_teardown_never_deletes_a_table_without_our_tag(aws: Aws) -> None:
    run("enable", "--yes")
    client, found = aws.account.client("dynamodb"), table.describe(aws.account, TABLE)
    assert found
    client.untag_resource(ResourceArn=found.arn, TagKeys=["verdict:app"])
    teardown(aws, Scope(STAGE, optional=("feedback",), app=False), True, all_deletions())
    assert table.describe(aws.account, TABLE)
    assert f"Not deleted, and may be billed: feedback-table {TABLE}." in printed(aws)
    client.tag_resource(ResourceArn=found.arn, Tags=[{"Key": "verdict:app", "Value": "verdict"}])


def test_the_table_is_a_source_of_reviews_to_label_and_compare(aws: Aws) -> None:
    with pytest.raises(AwsError, match="There is no table"):
        read_source("feedback", stage=STAGE)
    table.ensure(aws, STAGE)
    with pytest.raises(DataError, match="nothing was collected yet"):
        read_source("feedback", stage=STAGE)
    put(aws, "Later.", "negative", now=1_795_779_060.0)
    put(aws, "Good.", "")
    rows = read_source("feedback", stage=STAGE)
    assert [(row.text, row.verdict, row.correction) for row in rows] == [
        ("Good.", "positive", None),
        ("Later.", "positive", "negative"),
    ]
    assert rows[1].is_disputed
