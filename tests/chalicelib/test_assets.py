from pathlib import Path

import pytest

from chalicelib.assets import FOLDER, REPORT_NAME, asset, asset_version, report
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


def test_a_release_without_a_report_is_told_apart_from_one_with(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="packaged without a report"):
        report(tmp_path)
    (tmp_path / REPORT_NAME).write_text("<title>Report</title>")
    assert (report(tmp_path).text, report(tmp_path).media_type) == ("<title>Report</title>", "text/html; charset=utf-8")


def test_the_folder_in_the_zip_is_the_folder_of_the_checkout() -> None:
    link = Path(__file__).parents[2] / "vendor" / "static"
    assert link.is_symlink()
    assert link.resolve() == FOLDER.resolve()
