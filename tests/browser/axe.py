"""The accessibility checker axe-core, run in a page."""

from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

_SCRIPT = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")


def violations(page: Page) -> list[Any]:
    """Return each violated rule, with the elements that violate it."""
    page.evaluate(_SCRIPT)
    rules = page.evaluate("axe.run()")["violations"]
    return [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in rules]
