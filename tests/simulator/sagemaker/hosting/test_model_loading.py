"""Model files that a container loads or refuses."""

import pytest

from simulator.endpoint.local_endpoint import MODEL_FILE
from simulator.sagemaker.hosting.model_loading import LoadError, load


def test_single_file_of_an_archive_is_the_model() -> None:
    assert load({"any-name": MODEL_FILE.read_bytes()}).invoke(b"0:1 5:1", "text/libsvm").status == 200


@pytest.mark.parametrize("content", [b"good\nbad\n", b"", b'{"format": 1}', b"{L\x00", MODEL_FILE.read_bytes()[:3000]])
def test_error_names_the_file_that_is_not_a_whole_model(content: bytes) -> None:
    with pytest.raises(LoadError, match="Model at /opt/ml/model/stray cannot be loaded"):
        load({"stray": content})


def test_no_file_and_several_models_are_refused() -> None:
    with pytest.raises(LoadError, match="No model file"):
        load({})
    with pytest.raises(LoadError, match="average"):
        load({"a": MODEL_FILE.read_bytes(), "b": MODEL_FILE.read_bytes()})
