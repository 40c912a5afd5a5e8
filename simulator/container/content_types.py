"""Content types of requests and training channels, as the container parses them.

Source: `get_content_type` of `data_utils.py`, github.com/aws/sagemaker-xgboost-container. A request without a content
type is libsvm; one with an empty content type is refused. The only parameter with an effect is `label_size` of csv,
which must be 1 if it is given.
"""

CSV_TYPES = ("csv", "text/csv")
LIBSVM_TYPES = ("libsvm", "text/libsvm", "text/x-libsvm")
PARQUET_TYPES = ("parquet", "application/x-parquet")
RECORDIO_TYPES = ("recordio-protobuf", "application/x-recordio-protobuf")
_FORMATS = {
    **dict.fromkeys(CSV_TYPES, "csv"),
    **dict.fromkeys(LIBSVM_TYPES, "libsvm"),
    **dict.fromkeys(PARQUET_TYPES, "parquet"),
    **dict.fromkeys(RECORDIO_TYPES, "recordio-protobuf"),
}
_ACCEPTED = "csv, libsvm, parquet, recordio-protobuf, text/csv, text/libsvm, text/x-libsvm, " + (
    "application/x-parquet, application/x-recordio-protobuf"
)
_FORM, _MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"


class ContentTypeError(ValueError):
    """The container does not accept a content type; the message is the container's."""


def format_of(content_type: str | None) -> str:
    """Return `csv`, `libsvm`, `parquet` or `recordio-protobuf`; raises `ContentTypeError`."""
    if content_type is None:
        return "libsvm"
    name, parameters = parse_header(content_type.lower())
    if name not in _FORMATS:
        raise ContentTypeError(f"{content_type} is not an accepted ContentType: {_ACCEPTED}.")
    if name in CSV_TYPES and parameters.get("label_size", "1") != "1":
        raise ContentTypeError(
            f"{content_type} is not an accepted csv ContentType. Optional parameter label_size must be equal to 1"
        )
    return _FORMATS[name]


def is_form(content_type: str | None) -> bool:
    """Return whether the container's web framework reads a body as a form, so that the container sees no body."""
    name, parameters = parse_header((content_type or "").lower())
    return name == _FORM or (name == _MULTIPART and "boundary" in parameters)


def parse_header(header: str) -> tuple[str, dict[str, str]]:
    """Split a header into its value and parameters: `text/csv; label_size="1"` -> ("text/csv", {"label_size": "1"})."""
    name, *fields = header.split(";")
    parameters = dict(field.split("=", 1) for field in fields if "=" in field)
    return name.strip(), {key.strip().lower(): value.strip().strip('"') for key, value in parameters.items()}
