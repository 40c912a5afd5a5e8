"""The README's curl lines, the links of all documents, and the tree in CONTRIBUTING."""

import json
import re
import shlex
from pathlib import Path

import pytest
from chalice.test import Client

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONSOLE = re.search(r"```console\n(.*?)```", README, re.DOTALL)
CALLS = re.findall(r"^\$ (curl .*)\n((?:[^$].*\n)*)", CONSOLE[1] if CONSOLE else "", re.MULTILINE)
ANSWERS = re.findall(r"^  \| (.+) \| (positive|negative|not sure) \| .*\|$", README, re.MULTILINE)
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def answer_to(client: Client, command: str) -> str:
    """Send what a curl line would send, and return the body of the answer."""
    words = shlex.split(command)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "*/*"}
    body = words[words.index("-d") + 1]
    headers |= dict(words[place + 1].split(": ") for place, word in enumerate(words) if word == "-H")
    path = "/" + words[-1].split("/", 3)[3]
    return client.http.post(path, headers=headers, body=body.encode()).body.decode()


def without_request_id(answer: str) -> str:
    return re.sub(r"(?m)^Request: \S+$", "Request:", answer).strip()


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
        assert without_request_id(answer) == without_request_id(shown)


@pytest.mark.parametrize(("review", "answer"), ANSWERS)
def test_every_review_in_the_table_of_limits_has_the_answer_beside_it(client: Client, review: str, answer: str) -> None:
    body = json.dumps({"review": review, "explain": False}).encode()
    response = client.http.post("/predict", headers={"Content-Type": "application/json"}, body=body)
    assert response.json_body["label"] == answer


def test_the_readme_shows_what_the_model_gets_right_and_wrong() -> None:
    assert README.count("| right |") >= 5
    assert README.count("| wrong |") >= 2


def folders_of_the_tree() -> set[Path]:
    """Return the paths in CONTRIBUTING's tree, from the root."""
    tree = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("```")[1]
    found: set[Path] = set()
    parent = Path()
    for indent, names in re.findall(r"^( *)(\S+(?:  \S+/)*)  +\S", tree, re.MULTILINE):
        found |= {(parent if indent else Path()) / name for name in names.split()}
        parent = parent if indent else Path(names)
    return found


def test_every_path_in_the_tree_exists() -> None:
    assert len(folders_of_the_tree()) > 30
    assert not {path for path in folders_of_the_tree() if not (ROOT / path).exists()}


def test_every_package_has_a_line_in_the_tree() -> None:
    tops = {path.parent for path in ROOT.glob("*/__init__.py")}
    packages = tops | {path.parent for top in tops for path in top.glob("*/__init__.py")}
    assert not {path.relative_to(ROOT) for path in packages} - folders_of_the_tree()


@pytest.mark.parametrize("document", DOCUMENTS, ids=[str(path.relative_to(ROOT)) for path in DOCUMENTS])
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|\.\./\.\./actions/)([^)#]+)", document.read_text(encoding="utf-8"))
    assert all((document.parent / link).exists() for link in links), links
