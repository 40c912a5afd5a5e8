import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import urlopen

COMMAND = [sys.executable, "-u", "-m", "cli.main", "simulate", "--port", "0"]


@contextmanager
def simulating() -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Run the command; yields its process and the lines that it printed until it was ready."""
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout
        lines = [process.stdout.readline()]
        while lines[-1] and "To inject a fault" not in lines[-1]:
            lines.append(process.stdout.readline())
        try:
            yield process, lines
        finally:
            process.terminate()


def test_command_prints_its_environment_and_stops_cleanly() -> None:
    with simulating() as (process, lines):
        url = re.search(r"http://127.0.0.1:\d+", lines[0])
        assert url
        assert process.stdout
        with urlopen(f"{url[0]}/_simulator") as answer:
            assert json.loads(answer.read())["sites"] == {}
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    assert f"  export AWS_ENDPOINT_URL={url[0]}\n" in lines
    assert rest == "The simulated AWS has stopped. Everything in it is deleted.\n"
    assert process.returncode == 0


def test_printed_environment_overrides_a_profile() -> None:
    ask = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
    with simulating() as (process, lines):
        pasted = "".join(line for line in lines if line.startswith("  "))
        shell = f'{pasted}exec {sys.executable} -c "{ask}"'
        environment = {**os.environ, "AWS_PROFILE": "real"}
        ran = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, env=environment)
        process.terminate()
        assert process.stdout
        assert process.stdout.read()
    assert (ran.stdout, ran.stderr) == ("123456789012\n", "")
    assert process.returncode == 0  # after SIGTERM


def test_child_prints_nothing_and_ends_with_its_parent() -> None:
    with subprocess.Popen([*COMMAND, "--child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        out, _ = process.communicate(timeout=120)
    assert (out, process.returncode) == (b"", 0)


def test_make_run_imports_neither_moto_nor_flask() -> None:
    modules = "devserver.run, simulator.endpoint.local_endpoint"
    code = f"import sys, {modules}; print({{'moto', 'flask'}} & {{*sys.modules}})"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.stdout == "set()\n"
