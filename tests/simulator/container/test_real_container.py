"""The comparison with the real container's code, on stand-ins for that code."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import xgboost

from simulator.container import hyperparameters
from simulator.container.real_container import differences, parse_body


def same_requests(body: bytes, kind: str | None) -> tuple[xgboost.DMatrix, str]:
    return parse_body(body, kind), ""


def refuse(*_: Any) -> Any:
    raise KeyError("objective")


SAME = SimpleNamespace(validate=hyperparameters.parse), SimpleNamespace(parse_content_data=same_requests)


def test_equal_code_has_no_differences() -> None:
    assert list(differences(*SAME, "3.0-5")) == []


def test_hyperparameters_that_only_one_side_accepts_are_differences() -> None:
    found = list(differences(SimpleNamespace(validate=refuse), SAME[1], "3.0-5"))
    assert "hyperparameters {'eta': '0'}: refused there, accepted here" in found
    assert not any("'silent'" in line for line in found)  # refused on both sides


@pytest.mark.parametrize(("tag", "count"), [("3.0-5", 0), ("3.2-0", 2)])
def test_the_tag_decides_how_indices_are_expected(tag: str, count: int) -> None:
    assert len(list(differences(*SAME, tag))) == count


CHECKOUT = {  # a stand-in that accepts all hyperparameters and refuses all requests
    "metrics": "def initialize(): return None",
    "hyperparameter_validation": "class All:\n def validate(self, it): return it\ndef initialize(_): return All()",
    "serve_utils": "import mlio.integ.numpy\nfrom sagemaker_containers import _content_types\n"
    "def parse_content_data(body, kind): raise ValueError(_content_types.CSV)",
}


def test_the_command_imports_a_checkout_and_prints_the_differences(tmp_path: Path) -> None:
    folder = tmp_path / "src" / "sagemaker_xgboost_container" / "algorithm_mode"
    folder.mkdir(parents=True)
    for name, source in CHECKOUT.items():
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
    command = [sys.executable, "-m", "simulator.container.real_container", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    assert ended.returncode == 1, ended.stderr
    assert "hyperparameters {'unknown': 'true'}: accepted there, refused here\n" in ended.stdout
    assert "reg_alpha" not in ended.stdout  # the same under its other name
    assert "request b'2:1 5:1' of type libsvm: refused there, ((1, 6), " in ended.stdout
