"""Forms in a request body: fields of `application/x-www-form-urlencoded` and `multipart/form-data`.

Source: the URL standard (urlencoded parsing) and RFC 7578. A file in a multipart form is read as a field.
"""

import re
from urllib.parse import unquote_to_bytes

from chalicelib.errors import MalformedBodyError

FORM_TYPE = "application/x-www-form-urlencoded"
MULTIPART_TYPE = "multipart/form-data"
MAX_FIELDS = 20

_QUERY_STRING = re.compile(rb"[^\s=]*=\S*")

Fields = list[tuple[str, bytes]]


def looks_like_fields(body: bytes) -> bool:
    """Return whether a body is a query string, such as `token=1&text=good`, and not a sentence with a `=` in it."""
    return _QUERY_STRING.fullmatch(body) is not None


def parse_urlencoded(body: bytes) -> Fields:
    """Return the fields in order; what follows the first twenty is one more field."""
    pairs = (pair.partition(b"=") for pair in body.split(b"&", MAX_FIELDS))
    return [(_unquote(name).decode("utf-8", "replace"), _unquote(value)) for name, _, value in pairs]


def _unquote(value: bytes) -> bytes:
    return unquote_to_bytes(value.replace(b"+", b" "))


def parse_multipart(content_type: str, body: bytes) -> Fields:
    """Return the fields in order; raises `MalformedBodyError` if the body does not match its boundary."""
    from email import policy  # imported here, for faster cold starts
    from email.parser import BytesParser

    header = f"Content-Type: {content_type}\r\n\r\n".encode("ascii", "replace")
    message = BytesParser(policy=policy.HTTP).parsebytes(header + body)
    if not message.is_multipart() or message.defects:
        raise MalformedBodyError("The multipart form cannot be read: its parts do not match the header's boundary.")
    fields: Fields = []
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            fields.append((name, content))
    return fields
