"""Spark sessions: missing requirements, the code for workers, and errors."""

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from training.spark.session import SparkUnavailableError, missing_requirement, open_session, reason, write_code


def test_a_missing_pyspark_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with (
        pytest.raises(SparkUnavailableError, match=r"pip install -r requirements-spark\.txt"),
        open_session("local[1]"),
    ):
        pass


@pytest.mark.needs_spark
def test_a_missing_java_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert f"JAVA_HOME is {tmp_path}" in missing_requirement()
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert missing_requirement().startswith("There is no `java` command. Install Java 17")


def test_the_workers_import_the_code_from_a_zip_file(tmp_path: Path) -> None:
    path = write_code(tmp_path / "verdict.zip")
    names = zipfile.ZipFile(path).namelist()
    assert {"chalicelib/text.py", "training/spark/ngram_matrix.py", "training/features/prepare.py"} <= set(names)
    code = (
        "import chalicelib.text, training.features.prepare, training.spark.ngram_matrix, training.spark.channels, "
        "training.spark.texts, training.spark.predict; print(training.spark.ngram_matrix.__file__)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(path)}, cwd=tmp_path, capture_output=True, text=True
    )
    assert ran.stdout.startswith(str(path)), ran.stderr


@pytest.mark.needs_spark
def test_an_error_in_a_worker_is_one_line(spark: Any) -> None:
    from pyspark.errors import PySparkException

    with pytest.raises(PySparkException) as raised:
        spark.sparkContext.parallelize([1]).map(lambda number: number / 0).collect()
    assert reason(raised.value) == "ZeroDivisionError: division by zero."
