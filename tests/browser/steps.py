"""Steps that several browser tests share."""

from playwright.sync_api import Page


def check_several(page: Page, *, checked: bool = True) -> None:
    """Open the choices for many reviews, and set the checkbox for one review per line."""
    if not page.locator(".many[open]").count():
        page.get_by_text("Many reviews…").click()
    page.get_by_label("One review per line").set_checked(checked)
