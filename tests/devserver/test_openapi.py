"""The OpenAPI document against the running app: schemathesis sends requests that it allows, and others."""

import subprocess
import sys
import threading
from pathlib import Path

from devserver.run import available_port
from tests.devserver.test_run import READY, launched, read_until, remaining_output, run_command

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
EXAMPLES = 20  # per operation


def test_the_app_behaves_as_its_openapi_document_says(tmp_path: Path) -> None:
    port = available_port(0)
    command = [Path(sys.executable).with_name("schemathesis"), "--config-file", CONFIGURATION]
    url = f"http://127.0.0.1:{port}"
    options = [f"--max-examples={EXAMPLES}", "--continue-on-failure", "--generation-deterministic", "--no-color"]
    with launched(*run_command(port), "--feedback") as process:
        read_until(process, READY)
        threading.Thread(target=remaining_output, args=[process], daemon=True).start()  # a full pipe blocks the app
        ran = subprocess.run(
            [*command, "run", f"{url}/openapi.json", "--url", url, "--phases=examples,coverage,fuzzing", *options],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert ran.returncode == 0, ran.stdout
    assert "POST /feedback" in ran.stdout
