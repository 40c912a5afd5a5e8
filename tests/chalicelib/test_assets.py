from pathlib import Path

import pytest

from chalicelib.assets import FOLDER, asset, asset_version
from chalicelib.errors import NotFoundError


def test_files_are_served_with_their_type_and_the_hash_of_their_content() -> None:
    found = asset("style.css")
    assert found.media_type == "text/css; charset=utf-8"
    assert found.text == (FOLDER / "style.css").read_text(encoding="utf-8")
    assert found.etag == f'"{asset_version("style.css")}"'


@pytest.mark.parametrize("name", ["index.html", "absent.css", "..", "../app.py", "style.css/", "", "STYLE.CSS", "\x00"])
def test_nothing_else_is_served(name: str) -> None:
    with pytest.raises(NotFoundError):
        asset(name)


def test_the_folder_in_the_zip_is_the_folder_of_the_checkout() -> None:
    link = Path(__file__).parents[2] / "vendor" / "static"
    assert link.is_symlink()
    assert link.resolve() == FOLDER.resolve()
