"""The worst day of `docs/how-to/limit-cost.md`: computed from the documented prices and the limits in the code."""

import json
import re
from pathlib import Path

import pytest
from chalice.test import Client

import app
from chalicelib import endpoint, http, sentiment
from operations.endpoint import endpoint_config
from operations.feedback import table
from operations.packaging.package import stack_template

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "how-to" / "limit-cost.md").read_text(encoding="utf-8")
COSTS = (ROOT / "docs" / "reference" / "costs.md").read_text(encoding="utf-8")
PRICES = {name: float(usd) for name, usd in re.findall(r"^\| ([^|]+) \| ([\d.]+) \|", COSTS, re.MULTILINE)}
CONFIG = json.loads((ROOT / ".chalice" / "config.json").read_text(encoding="utf-8"))
DAY, MILLION, GB = 86_400, 1e6, 1e9
OTHER_ANSWERS_BYTES, LOG_BYTES, MOST_METHODS = 600_000, 1_000, 40
POSTED = [path for path, methods in app.app.routes.items() if "POST" in methods]
OTHER_METHODS = sum(
    len({*methods, "OPTIONS"} - {"POST"}) for methods in app.app.routes.values()
)  # Chalice adds OPTIONS


def worst_day(rate: float, prediction_rate: float, executions: int) -> dict[str, float]:
    """Return the US dollars of each row, with a rate for each method, another for predictions, and busy executions."""
    requests = DAY * (MOST_METHODS * rate + prediction_rate)
    sent = DAY * (prediction_rate * http.MAX_RESPONSE_BYTES + rate * OTHER_ANSWERS_BYTES) / GB
    payload = DAY * prediction_rate * endpoint.MAX_ATTEMPTS * sentiment.MAX_CALL_BYTES / GB
    memory_gb = CONFIG["stages"]["prod"]["lambda_memory_size"] / 1024
    return {
        "requests": requests * (PRICES["API Gateway, REST API"] + PRICES["Lambda, requests"]) / MILLION,
        "data sent to clients": sent * PRICES["data sent to the internet"],
        "the function's time": executions * DAY * memory_gb * PRICES["Lambda, x86"],
        "the endpoint's time": endpoint_config.DEFAULT_CONCURRENCY * DAY * PRICES["serverless endpoint, 2 GB"],
        "data sent to the endpoint": payload * PRICES["serverless endpoint, data"],
        "logs": requests * LOG_BYTES / GB * PRICES["CloudWatch Logs"],
    }


def documented(column: int) -> dict[str, float]:
    """Return the figures of a column of the page's last table, without its total."""
    rows = re.findall(r"^\| ([^|:*]+)(?:: [^|]+)? \| ([\d,.]+) \| ([\d,.]+) \|$", PAGE, re.MULTILINE)
    return {row[0]: float(row[column].replace(",", "")) for row in rows}


def limits_of_the_command() -> tuple[float, float]:
    """Return the rates that the page's command sets: of each method, and of predictions."""
    rates = dict(re.findall(r"path=/(\S+?)/throttling/rateLimit,value=(\d+)", PAGE))
    return float(rates["*/*"]), float(rates["~1predict/POST"])


@pytest.mark.parametrize("column", [1, 2])
def test_the_worst_day_follows_from_prices_and_limits(column: int) -> None:
    stack_rate = float(stack_template("prod", "x", 0.9)["Parameters"]["RequestsPerSecond"]["Default"])
    rates = (*limits_of_the_command(), 10) if column == 1 else (stack_rate, stack_rate, 1_000)
    expected = worst_day(*rates)
    assert documented(column) == {name: pytest.approx(usd, abs=0.51) for name, usd in expected.items()}
    total = re.findall(r"^\| \*\*at most\*\* \| \*\*([\d,]+)\*\* \| \*\*([\d,]+)\*\* \|$", PAGE, re.MULTILINE)[0]
    assert float(total[column - 1].replace(",", "")) == pytest.approx(sum(expected.values()), abs=1)


def test_the_app_has_at_most_the_documented_number_of_methods() -> None:
    assert POSTED == ["/predict", "/feedback"]
    assert OTHER_METHODS + len(POSTED) - 1 <= MOST_METHODS
    assert f"{MOST_METHODS} methods at the rate of `/*/*`" in PAGE


def test_the_tables_writes_of_a_day_are_documented() -> None:
    usd = table.MAX_WRITE_UNITS * DAY / MILLION * PRICES["DynamoDB, writes on demand"]
    gigabytes = table.MAX_WRITE_UNITS * DAY * 1024 / GB
    assert f"{table.MAX_WRITE_UNITS} write units a second: ${usd:.2f} a day" in PAGE
    stored = gigabytes * (PRICES["DynamoDB, storage"] + PRICES["DynamoDB, backups"])
    assert f"${stored:.2f} a month" in " ".join(PAGE.split())


def test_the_endpoints_price_is_that_of_the_default_memory() -> None:
    assert f"serverless endpoint, {endpoint_config.DEFAULT_MEMORY_MB // 1024} GB" in PRICES


def test_other_answers_are_small() -> None:
    largest = max((ROOT / "static").iterdir(), key=lambda path: path.stat().st_size).name
    addresses = [path.format(name=largest, path="x", rest="y") for path in app.app.routes]
    with Client(app.app) as client:
        answers = [client.http.get(address, headers={"accept": "text/html"}).body for address in addresses]
        quotes = b"review=" + b"%22" * 150_000
        headers = {"accept": "text/html", "content-type": "application/x-www-form-urlencoded"}
        answers.append(client.http.post("/feedback", headers=headers, body=quotes).body)
    assert sum(map(len, answers)) < OTHER_ANSWERS_BYTES


def test_a_new_account_can_deploy() -> None:
    assert all("reserved_concurrency" not in stage for stage in (CONFIG, *CONFIG["stages"].values()))
