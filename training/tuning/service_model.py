"""Values against botocore's own model of SageMaker: what the service would refuse is refused before it is asked."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
import regex
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator


def shape_problems(shape_name: str, value: Any, where: str) -> list[str]:
    """Return what is wrong with a value of a shape, a sentence each; `where` is how they call the value."""
    shape = _shape(shape_name)
    report = ParamValidator().validate(value, shape)
    if report.has_errors():
        return [f"{line}." for line in report.generate_report().splitlines()]
    return list(_limits(shape, value, where))


@cache
def operation_shapes(operation: str) -> tuple[str, str]:
    """Return the names of an operation's input and output shapes, "" for none."""
    model = botocore.session.get_session().get_service_model("sagemaker").operation_model(operation)
    return tuple(shape.name if shape else "" for shape in (model.input_shape, model.output_shape))  # type: ignore[return-value]


@cache
def _shape(name: str) -> Shape:
    """Load a shape of the service."""
    return botocore.session.get_session().get_service_model("sagemaker").shape_for(name)


def _limits(shape: Shape, value: Any, where: str) -> Iterator[str]:
    """Yield what botocore leaves to the service: upper limits, patterns and fixed sets of texts."""
    most = shape.metadata.get("max")
    if most is not None and isinstance(value, str | list | dict) and len(value) > most:
        yield f"{where} is {len(value)} long, {most} at most."
    elif most is not None and isinstance(value, int | float) and value > most:
        yield f"{where} is {value}, {most} at most."
    if isinstance(shape, StructureShape):
        for name, member in value.items():
            yield from _limits(shape.members[name], member, f"{where}.{name}")
    elif isinstance(shape, ListShape):
        for position, member in enumerate(value):
            yield from _limits(shape.member, member, f"{where}[{position}]")
    elif isinstance(shape, MapShape):
        for name, member in value.items():
            yield from _limits(shape.value, member, f"{where}.{name}")
    elif isinstance(shape, StringShape):
        pattern = shape.metadata.get("pattern")
        if pattern and not _pattern(pattern).fullmatch(value):
            yield f"{where} is {value!r}, which does not match {pattern}."
        if shape.enum and value not in shape.enum:
            yield f"{where} is {value!r}, not {' or '.join(shape.enum)}."


@cache
def _pattern(text: str) -> Any:
    """Compile a pattern of the model; those that no Python dialect takes match everything."""
    try:
        return regex.compile(text)
    except regex.error:
        return regex.compile(".*", regex.DOTALL)
