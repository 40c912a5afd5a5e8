"""What the README shows is what happens: its curl lines, its tree, its links."""

import json
import re
import shlex
from pathlib import Path

import pytest
from chalice.test import Client

from training.__main__ import STEPS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONSOLE = re.search(r"```console\n(.*?)```", README, re.DOTALL)
CALLS = re.findall(r"^\$ (curl .*)\n((?:[^$].*\n)*)", CONSOLE[1] if CONSOLE else "", re.MULTILINE)
PAPERS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def answer_to(client: Client, command: str) -> str:
    """Send what a curl line would send, and return the body of the answer."""
    words = shlex.split(command)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "*/*"}
    body = words[words.index("-d") + 1]
    headers |= dict(words[place + 1].split(": ") for place, word in enumerate(words) if word == "-H")
    path = "/" + words[-1].split("/", 3)[3]
    return client.http.post(path, headers=headers, body=body.encode()).body.decode()


def test_the_readme_has_calls() -> None:
    assert len(CALLS) >= 4


@pytest.mark.parametrize(("command", "shown"), CALLS)
def test_every_curl_line_gives_the_answer_printed_below_it(client: Client, command: str, shown: str) -> None:
    answer = answer_to(client, command)
    if shown.startswith("{"):
        given, printed = json.loads(answer), json.loads(shown)
        assert given.pop("request_id")
        assert printed.pop("request_id")
        assert given.pop("score") == pytest.approx(printed.pop("score"), abs=1e-6)
        assert given == printed
    else:
        assert answer.strip() == shown.strip()


def rooms() -> set[Path]:
    """Return the paths of the README's tree, from the root."""
    tree = README.partition("## The tree")[2].split("```")[1]
    found: set[Path] = set()
    folder = Path()
    for indent, name in re.findall(r"^( *)(\S+)  +\S", tree, re.MULTILINE):
        found.add((folder if indent else Path()) / name)
        folder = folder if indent else Path(name)
    return found


def test_every_room_of_the_tree_is_there() -> None:
    assert len(rooms()) > 30
    assert not {room for room in rooms() if not (ROOT / room).exists()}


def test_every_room_of_chalicelib_and_every_step_has_its_line() -> None:
    modules = {path.relative_to(ROOT) for path in (ROOT / "chalicelib").glob("*.py") if path.stem != "__init__"}
    steps = {Path(*module.split(".")).with_suffix(".py") for module in STEPS.values() if "simulator" not in module}
    assert not (modules | steps) - rooms()


@pytest.mark.parametrize("paper", PAPERS, ids=[str(path.relative_to(ROOT)) for path in PAPERS])
def test_links_between_papers_lead_somewhere(paper: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", paper.read_text(encoding="utf-8"))
    assert all((paper.parent / link).exists() for link in links), links
