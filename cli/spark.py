"""The options of commands that can run on Apache Spark, and their session."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import click

from cli.options import Option, combine, refuse
from training.features.channels import HERE, SPARK

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_ONLY_ON_SPARK = "applies to Apache Spark only: add --engine spark."

engine_options: Option[Any] = combine(
    click.option(
        "--engine",
        type=click.Choice([HERE, SPARK]),
        default=HERE,
        show_default=True,
        help="This machine's processes, or Apache Spark (requirements-spark.txt and Java 17).",
    ),
    click.option("--master", metavar="URL", help="Spark's master.  [default: that of spark-submit, or else local[*]]"),
    click.option("--conf", "settings", multiple=True, metavar="KEY=VALUE", help="A setting of Spark; repeatable."),
)


def refuse_without_spark(engine: str, *parameters: str) -> None:
    """Raise `click.UsageError` if an option of Spark, or one of these parameters, was given without Spark."""
    if engine != SPARK:
        refuse(_ONLY_ON_SPARK, "master", "settings", *parameters)


def session_of(master: str | None, settings: Sequence[str]) -> "AbstractContextManager[SparkSession]":
    """Return a Spark session with the settings of a command line; raises `click.UsageError` for a bad setting."""
    from training.spark.session import open_session  # only needed here

    pairs = [setting.partition("=") for setting in settings]
    if wrong := [name for name, separator, _ in pairs if not separator]:
        raise click.UsageError(f"--conf {wrong[0]} has no value. Write --conf KEY=VALUE.")
    return open_session(master, {name: value for name, _, value in pairs})
