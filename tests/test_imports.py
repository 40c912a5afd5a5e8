"""Arrows go one way: app -> chalicelib <- training, and inside chalicelib from the use case down."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SERVING = sorted([ROOT / "app.py", *(ROOT / "chalicelib").rglob("*.py")])
ON_LAMBDA = {"chalice", "chalicelib", "boto3", "botocore", "jinja2", "markupsafe", "mypy_boto3_sagemaker_runtime"}


def imported(path: Path) -> set[str]:
    """Return the full names of the modules a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


@pytest.mark.parametrize("path", SERVING, ids=[str(path.relative_to(ROOT)) for path in SERVING])
def test_what_ships_to_lambda_imports_only_what_is_there(path: Path) -> None:
    roots = {name.partition(".")[0] for name in imported(path)}
    assert roots <= ON_LAMBDA | sys.stdlib_module_names


def test_chalicelib_imports_in_one_direction() -> None:
    modules = {path.stem: imported(path) for path in (ROOT / "chalicelib").glob("*.py") if path.stem != "__init__"}
    modules["release"] = imported(ROOT / "chalicelib" / "release" / "__init__.py")
    below = {name: {other for other in modules if f"chalicelib.{other}" in found} for name, found in modules.items()}
    assert any(below.values())
    while below:
        leaves = {name for name, under in below.items() if not under & below.keys()}
        assert leaves, f"these import each other in a circle: {sorted(below)}"
        below = {name: under for name, under in below.items() if name not in leaves}


LAYERS = (  # of what speaks to AWS: each may import those before it
    "training.aws",
    "training.sagemaker.serving",
    "training.sagemaker.estate",
    "training.sagemaker.setup",
    "training.sagemaker.jobs",
    "training.sagemaker",
)


def layer_of(module: str) -> int:
    """Return the place of a module in `LAYERS`, -1 for one that is in none of them."""
    inside = [layer for layer in LAYERS if module == layer or module.startswith(f"{layer}.")]
    return LAYERS.index(max(inside, key=len)) if inside else -1


def test_what_speaks_to_aws_imports_in_one_direction() -> None:
    files = [path for folder in ("aws", "sagemaker") for path in (ROOT / "training" / folder).rglob("*.py")]
    assert len(files) > 50
    for path in files:
        own = layer_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
        above = {name for name in imported(path) if layer_of(name) > own and name != "training.sagemaker"}
        assert not above, f"{path} imports {sorted(above)}"


def test_the_commands_on_aws_do_not_know_the_simulator() -> None:
    files = [path for folder in ("aws", "sagemaker") for path in (ROOT / "training" / folder).rglob("*.py")]
    assert not [path for path in files for name in imported(path) if name.startswith("training.simulator")]


def test_importing_the_app_waits_for_nothing_that_the_first_answer_can_do_without() -> None:
    code = "import sys, app; print(sorted({'boto3', 'botocore', 'jinja2', 'chalicelib.openapi'} & sys.modules.keys()))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
