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


ARROWS = {  # package -> the other packages of this project that it may import
    "chalicelib": set(),
    "training": {"chalicelib"},
    "operations": {"chalicelib", "training"},
    "simulator": {"chalicelib", "training", "operations"},
    "devserver": {"chalicelib", "training", "simulator"},
    "rehearsal": {"chalicelib", "training", "simulator", "devserver"},
    "cli": {"chalicelib", "training", "operations", "simulator", "devserver", "rehearsal"},
    "benchmarks": {"app", "chalicelib", "training", "simulator"},
    "soak": {"chalicelib", "training", "simulator", "benchmarks"},
    "fuzz": {"app", "chalicelib", "training", "simulator", "benchmarks"},
    "compat": {"simulator"},
}
OPERATIONS_LAYERS = (  # each may import those before it
    "operations.aws",
    "operations.feedback",
    "operations.endpoint",
    "operations.inventory",
    "operations.setup",
    "operations.teardown",
    "operations.jobs",
    "operations.packaging",
    "operations.rollout",
)


def files_of(package: str) -> list[Path]:
    """Return the modules of a package."""
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("package", ARROWS)
def test_packages_import_in_one_direction(package: str) -> None:
    assert files_of(package)
    for path in files_of(package):
        roots = {name.partition(".")[0] for name in imported(path)} & {*ARROWS, "app", "tests"}
        assert roots <= ARROWS[package] | {package}, path


@pytest.mark.parametrize("layer", OPERATIONS_LAYERS)
def test_operations_import_in_one_direction(layer: str) -> None:
    above = OPERATIONS_LAYERS[OPERATIONS_LAYERS.index(layer) + 1 :]
    for path in files_of(layer.replace(".", "/")):
        assert not {name for name in imported(path) if name.startswith(above)}, path


def test_importing_the_app_imports_no_slow_packages() -> None:
    code = "import sys, app; print(sorted({'boto3', 'botocore', 'jinja2', 'chalicelib.openapi'} & sys.modules.keys()))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
