"""Validation of values against botocore's service model of SageMaker, before a request is sent."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
import regex
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator


def shape_problems(shape_name: str, value: Any, where: str) -> list[str]:
    """Return the problems of a value of a shape, one sentence each; `where` names the value in them."""
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
    """Load a shape of the service model."""
    return botocore.session.get_session().get_service_model("sagemaker").shape_for(name)


def _limits(shape: Shape, value: Any, where: str) -> Iterator[str]:
    """Check what botocore leaves to the service: upper limits, patterns and enumerations."""
    most = shape.metadata.get("max")
    if most is not None and isinstance(value, str | list | dict) and len(value) > most:
        yield f"{where} has length {len(value)}; at most {most} are allowed."
    elif most is not None and isinstance(value, int | float) and value > most:
        yield f"{where} is {value}; at most {most} is allowed."
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
    """Compile a pattern of the service model; a pattern that Python cannot compile matches everything."""
    try:
        return regex.compile(text)
    except regex.error:
        return regex.compile(".*", regex.DOTALL)
