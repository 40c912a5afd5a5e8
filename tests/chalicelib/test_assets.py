from pathlib import Path

import pytest

from chalicelib.assets import FOLDER, asset, asset_version, report
from chalicelib.errors import NotFoundError
from chalicelib.release import REPORT_NAME


def test_files_have_a_media_type_and_a_content_hash() -> None:
    stylesheet = asset("style.css")
    assert stylesheet.media_type == "text/css; charset=utf-8"
    assert stylesheet.text == (FOLDER / "style.css").read_text(encoding="utf-8")
    assert stylesheet.etag == f'"{asset_version("style.css")}"'


@pytest.mark.parametrize("name", ["index.html", "absent.css", "..", "../app.py", "style.css/", "", "STYLE.CSS", "\x00"])
def test_no_other_file_is_served(name: str) -> None:
    with pytest.raises(NotFoundError):
        asset(name)


def test_the_report_is_optional(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="without a report"):
        report(tmp_path)
    (tmp_path / REPORT_NAME).write_text("<title>Report</title>")
    assert (report(tmp_path).text, report(tmp_path).media_type) == ("<title>Report</title>", "text/html; charset=utf-8")


def test_the_zip_includes_the_static_folder() -> None:
    link = Path(__file__).parents[2] / "vendor" / "static"
    assert link.is_symlink()
    assert link.resolve() == FOLDER.resolve()
