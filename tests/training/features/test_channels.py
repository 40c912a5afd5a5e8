"""Channels in one file each, and in the parts that Spark writes."""

import json
import shutil
from pathlib import Path

import pytest

from training.data.reviews import DataError
from training.features.channels import PREPARED_NAME, channel_names, files_at, load_prepared, part_name
from training.model.channel_matrix import read_channel


def test_parts_are_read_in_their_order(small_channels: Path, channels_in_parts: Path) -> None:
    for name in channel_names():
        parts = files_at(channels_in_parts / name)
        assert [part.name for part in parts] == ["part-00000", "part-00001", "part-00002"]
        assert b"".join(part.read_bytes() for part in parts) == (small_channels / name).read_bytes()
        assert files_at(small_channels / name) == [small_channels / name]


def test_xgboost_reads_the_same_rows_from_parts(small_channels: Path, channels_in_parts: Path) -> None:
    name = channel_names()[0]
    whole, parts = (read_channel(folder / name, 1) for folder in (small_channels, channels_in_parts))
    assert (parts.num_row(), parts.num_col()) == (whole.num_row(), whole.num_col())
    assert (parts.get_label() == whole.get_label()).all()
    assert (parts.get_data() != whole.get_data()).nnz == 0


def test_the_files_of_a_channel_are_in_the_record(small_channels: Path, channels_in_parts: Path) -> None:
    name = channel_names()[3]
    assert load_prepared(small_channels)[0].files_of(name) == [name]
    assert load_prepared(channels_in_parts)[0].files_of(name) == [part_name(name, index) for index in range(3)]


def test_a_changed_or_missing_part_is_refused(channels_in_parts: Path, tmp_path: Path) -> None:
    folder = tmp_path / "channels"
    shutil.copytree(channels_in_parts, folder)
    part = folder / part_name(channel_names()[0], 1)
    part.write_bytes(part.read_bytes() + b"1 0:1\n")
    with pytest.raises(DataError, match="part-00001 was changed"):
        load_prepared(folder)
    part.unlink()
    with pytest.raises(DataError, match="no prepared channels"):
        load_prepared(folder)


def test_a_record_without_a_channel_is_refused(channels_in_parts: Path, tmp_path: Path) -> None:
    folder = tmp_path / "channels"
    shutil.copytree(channels_in_parts, folder)
    prepared = json.loads((folder / PREPARED_NAME).read_text())
    prepared["channel_sha256"] = {k: v for k, v in prepared["channel_sha256"].items() if not k.startswith("fold-2")}
    (folder / PREPARED_NAME).write_text(json.dumps(prepared))
    with pytest.raises(DataError, match="fold-2"):
        load_prepared(folder)
