"""Model files that a container loads or refuses."""

import pytest

from simulator.endpoint.local_endpoint import MODEL_FILE
from simulator.sagemaker.hosting.model_loading import LoadError, load
from training.model.container_image import image_uri

IMAGE = image_uri("us-east-1")


def test_single_file_of_an_archive_is_the_model() -> None:
    assert load({"any-name": MODEL_FILE.read_bytes()}, IMAGE).invoke(b"0:1 5:1", "text/libsvm").status == 200


def test_image_decides_how_indices_are_read() -> None:
    files = {"xgboost-model": MODEL_FILE.read_bytes()}
    literal, shifting = (load(files, image_uri("us-east-1", tag)) for tag in ("3.0-5", "3.2-0"))
    assert shifting.invoke(b"2:1 6:1", "libsvm") == literal.invoke(b"1:1 5:1", "libsvm")


@pytest.mark.parametrize("content", [b"good\nbad\n", b"", b'{"format": 1}', b"{L\x00", MODEL_FILE.read_bytes()[:3000]])
def test_error_names_the_file_that_is_not_a_whole_model(content: bytes) -> None:
    with pytest.raises(LoadError, match="Model at /opt/ml/model/stray cannot be loaded"):
        load({"stray": content}, IMAGE)


def test_no_file_and_several_models_are_refused() -> None:
    with pytest.raises(LoadError, match="No model file"):
        load({}, IMAGE)
    with pytest.raises(LoadError, match="average"):
        load({"a": MODEL_FILE.read_bytes(), "b": MODEL_FILE.read_bytes()}, IMAGE)
