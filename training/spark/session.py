"""Spark sessions: what must be installed, settings, the code for the workers, and errors.

pyspark is imported here only, when a session is opened, so that everything else works without it.
"""

import os
import re
import shutil
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from chalicelib.errors import SentimentError
from training.project import ROOT

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LOCAL_MASTER = "local[*]"
REQUIREMENTS = "requirements-spark.txt"
JAVA = 17  # the oldest version that Spark 4 runs on
PACKAGES = ("chalicelib", "training")  # that the workers import
_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.maxResultSize": "0",  # without a limit: sums of gradients are large, and few
    "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",  # a channel has nothing but parts
}
_LOCAL_SETTINGS = {
    "spark.driver.memory": "2g",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
}
_SUBMITTED = "PYSPARK_GATEWAY_PORT"  # is in the environment of a program that spark-submit has started
_RAISED = re.compile(r"([\w.]*Error): (.+)")  # the last line of a traceback


class SparkUnavailableError(SentimentError):
    """Spark cannot be started on this machine."""

    type = "spark-unavailable"
    title = "Apache Spark is not available"


class SparkJobError(SentimentError):
    """A job on Spark failed."""

    type = "spark-job-failed"
    title = "A Spark job failed"


def missing_requirement() -> str:
    """Return what must be installed before a session can be opened, "" if nothing."""
    if find_spec("pyspark") is None:
        return f"pyspark is not installed. Install it with .venv/bin/python -m pip install -r {REQUIREMENTS}"
    java_home = os.environ.get("JAVA_HOME")
    java = Path(java_home) / "bin" / "java" if java_home else "java"
    if shutil.which(java) is None:
        where = f"JAVA_HOME is {java_home}, which has no bin/java." if java_home else "There is no `java` command."
        return f"{where} Install Java {JAVA} or newer, or set JAVA_HOME to its folder."
    return ""


@contextmanager
def open_session(master: str | None = None, settings: Mapping[str, str] | None = None) -> Iterator["SparkSession"]:
    """Start a Spark session, and stop it at the end; errors of its jobs become `SparkJobError`.

    A session that this process has already is used as it is, and goes on. Without a `master` it is that of spark-submit
    if this program was started by it, else all processors of this machine. Raises `SparkUnavailableError` if pyspark or
    Java is missing.
    """
    if missing := missing_requirement():
        raise SparkUnavailableError(missing)
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    active = SparkSession.getActiveSession()
    with TemporaryDirectory() as folder:
        session = active or _start(master, settings or {}, Path(folder))
        try:
            yield session
        except (Py4JError, PySparkException) as error:
            raise SparkJobError(f"Spark could not complete a job: {reason(error)}") from error
        finally:
            if active is None:
                session.stop()


def _start(master: str | None, settings: Mapping[str, str], folder: Path) -> "SparkSession":
    """Start a session; its workers import this checkout, on another machine from a zip file."""
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    chosen = master or ("" if _SUBMITTED in os.environ else LOCAL_MASTER)
    all_settings = {**_SETTINGS, **settings}
    if _is_local(chosen):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # there is no setting for the workers' interpreter
        all_settings = {**_local_settings(), **all_settings}
    builder = SparkSession.builder.appName("verdict")
    for name, value in {**all_settings, **({"spark.master": chosen} if chosen else {})}.items():
        builder = builder.config(name, value)
    try:
        session = builder.getOrCreate()
    except PySparkException as error:
        raise SparkUnavailableError(
            f"Spark did not start: {reason(error)} It needs Java {JAVA} or newer: see `java -version`."
        ) from error
    session.sparkContext.setLogLevel("ERROR")
    if not _is_local(session.sparkContext.master):
        session.sparkContext.addPyFile(str(write_code(folder / "verdict.zip")))
    return session


def _is_local(master: str) -> bool:
    """Return whether a master is this machine."""
    return master.startswith("local")


def _local_settings() -> dict[str, str]:
    """Return the settings of local mode, whose workers import this checkout."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**_LOCAL_SETTINGS, "spark.executorEnv.PYTHONPATH": path}


def write_code(path: Path) -> Path:
    """Write the modules that workers import into a zip file; returns its path."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for package in PACKAGES:
            for module in sorted((ROOT / package).rglob("*.py")):
                archive.write(module, module.relative_to(ROOT))
    return path


def reason(error: BaseException) -> str:
    """Return the message of an error that was raised in a worker, or the first line of any other."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    raised = [found for line in lines if (found := _RAISED.match(line))]
    if raised:
        name, message = raised[-1].groups()
        chosen = message if name.startswith(PACKAGES) else f"{name}: {message}"
    else:
        chosen = lines[0] if lines else type(error).__name__
    return chosen if chosen.endswith(".") else f"{chosen}."
