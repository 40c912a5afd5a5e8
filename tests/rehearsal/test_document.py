"""The tutorial as a script: its commands, and the comparison of their output. `make tutorial` runs all of it."""

import re

import pytest

from rehearsal.document import blocks_not_run, commands_of, difference
from rehearsal.tutorial import DOCUMENT
from training.project import ROOT

TUTORIAL = (ROOT / DOCUMENT).read_text(encoding="utf-8")
BLOCKS = """
<!-- not run: it starts a server -->
```console
$ make simulate
```

```console
$ cat > ranges.json <<'END'
$ {}
END
$ verdict tune --ranges ranges.json
Run runs/tuned
```

<!-- not run: -->
```console
$ verdict status
```
"""
SHOWN = """\
To be created in us-east-1, stage prod:
  model verdict-prod-53c0af88436b-7b412395-a44476e7
...
Continue? [y/N]: y
Endpoint verdict-prod-53c0af88436b is in service: 2 x ml.m5.large, $0.230 an hour.
Expires at 2026-11-26T18:08:53Z. ... --stage prod --expired
"""
PRINTED = """\
To be created in us-east-1, stage prod:
  model verdict-prod-1ea72fd8bb46-77478ffc-8463f738
  endpoint verdict-prod-1ea72fd8bb46
Continue? [y/N]: verdict-prod-1ea72fd8bb46 is Creating ...
Endpoint verdict-prod-1ea72fd8bb46 is in service: 2 x ml.m5.large, $0.115 an hour.
Expires at 2027-01-02T03:04:05Z. To delete it then: verdict teardown --stage prod --expired
"""


def test_commands_have_their_here_documents_and_outputs() -> None:
    cat, tune, status = commands_of(BLOCKS)
    assert cat.text == "cat > ranges.json <<'END'\n$ {}\nEND"
    assert (tune.text, tune.output) == ("verdict tune --ranges ranges.json", ("Run runs/tuned",))
    assert status.text == "verdict status"  # a reason is needed
    assert blocks_not_run(BLOCKS) == ["it starts a server"]


def test_the_whole_tutorial_is_run_but_for_three_blocks_with_a_reason() -> None:
    assert len(blocks_not_run(TUTORIAL)) == 3
    run, shown = list(commands_of(TUTORIAL)), re.findall(r"^\$ ", TUTORIAL, re.MULTILINE)
    assert len(shown) - 4 <= len(run) <= len(shown)
    assert sum(bool(command.output) for command in run) > 40
    assert [command.text for command in run if command.is_interrupted] == ["verdict deploy --stage dev"]


def test_times_ids_and_prices_may_differ() -> None:
    assert difference(tuple(SHOWN.splitlines()), PRINTED) == ""
    assert difference((), PRINTED) == ""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("us-east-1, stage prod", "us-east-1, stage dev"),
        ("2 x ml.m5.large", "3 x ml.m5.large"),
        ("is in service", "has failed"),
        ("--stage prod --expired", "--stage prod"),
        ("  endpoint verdict", "The endpoint is absent.\n  endpoint verdict"),
    ],
)
def test_any_other_difference_is_found(before: str, after: str) -> None:
    shown = (
        tuple(line for line in SHOWN.splitlines() if line != "...") if "absent" in after else tuple(SHOWN.splitlines())
    )
    assert difference(shown, PRINTED.replace(before, after))


def test_lines_after_the_documented_ones_are_found() -> None:
    assert difference(tuple(SHOWN.splitlines()), f"{PRINTED}Error: no\n")
    assert difference((*SHOWN.splitlines(), "..."), f"{PRINTED}Error: no\n") == ""


def test_rows_of_tables_are_compared_without_numbers_and_widths() -> None:
    shown = ("│ release │   50% │ 0.8948 │", "...")
    assert difference(shown, "│ release │  49% │     0.1 │\n└──┘\n") == ""
    assert difference(shown, "│ linear │  49% │     0.1 │\n└──┘\n")
