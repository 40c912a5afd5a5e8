"""Words and forms that docstrings, comments, messages and test names avoid; the rules are in CONTRIBUTING."""

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from training.project import ROOT

MAX_TEST_NAME = 69  # characters
AVOIDED = re.compile(
    r"\b(told|tells?|telling|asked|asks(?! for confirmation)|asking|said|says|saying|whoever|nobody's?"
    r"|gone on with|at rest|speaks? for|so manyth?|what is there|goes by|held to|who asks?|let go of"
    r"|all that is|all that was|of (its|his|our|their) own making|put into words|as it may)\b",
    re.IGNORECASE,
)
QUESTION = re.compile(r"(What|Who|Whose|Whether|How|Where|Which)\b")
CODE = re.compile(r"`[^`]*`")
SENTENCE = re.compile(r"[A-Z][a-z']+ .*[.:]")


def python_files() -> list[Path]:
    """Return the project's Python files."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    names = listed.stdout.split() if listed.returncode == 0 else [str(path) for path in ROOT.glob("[a-z]*/**/*.py")]
    return [ROOT / name for name in names if (ROOT / name).exists() and (ROOT / name) != Path(__file__)]


def docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of every docstring."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield getattr(node, "lineno", 1), text


def comments(source: str) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of every comment."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def messages(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of every string that reads like a sentence."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SENTENCE.match(node.value):
            yield node.lineno, node.value


def faults(path: Path) -> Iterator[str]:
    """Yield `file:line: the fault` for a file."""
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    where = path.relative_to(ROOT)
    is_test = where.parts[0] == "tests"
    for line, text in [*docstrings(tree), *comments(source), *(() if is_test else messages(tree))]:
        found = AVOIDED.search(CODE.sub("", text))
        if found:
            yield f"{where}:{line}: {found[0]!r} in {text[:100]!r}"
    if QUESTION.match(ast.get_docstring(tree) or ""):
        yield f"{where}:1: a module docstring is a noun phrase"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and len(node.name) > MAX_TEST_NAME:
            yield f"{where}:{node.lineno}: {node.name} is longer than {MAX_TEST_NAME} characters"


def test_prose_and_names_are_plain_english() -> None:
    files = python_files()
    assert len(files) > 300
    assert not [fault for path in files for fault in faults(path)]


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ('"""What is told of an endpoint."""', "'told'"),
        ('"""Which part answers."""', "noun phrase"),
        ("x = 1  # whoever asks", "'whoever'"),
        (f"def test_{'x' * MAX_TEST_NAME}(): ...", "longer than"),
    ],
)
def test_faults_are_found(source: str, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    (tmp_path / "module.py").write_text(source)
    assert any(fault in found for found in faults(tmp_path / "module.py"))
