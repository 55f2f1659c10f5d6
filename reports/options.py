"""What the commands share: options, and the one-line form of errors."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bounds.errors import ClaimError
from reports.record import RecordError
from simulators.errors import InputError

if TYPE_CHECKING:
    from properties.session import Settings

__all__ = [
    "OUT", "RESULTS", "Group", "effort", "finish", "json_file", "loudness", "out_folder", "report_errors",
    "say", "settings_of", "version",
]  # fmt: skip

Command = TypeVar("Command", bound=Callable[..., Any])

OUT = "lesssim-report"
RESULTS = f"{OUT}/results.json"
UNITS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "": 1.0}


def version() -> str:
    """The version of lesssim."""
    from lesssim import __version__

    return __version__


class BadInput(click.ClickException):
    """Exit code 2 with one line."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        """Print the line to standard error."""
        colour = False if os.environ.get("NO_COLOR") else None
        click.echo(f"{click.style('error', fg='red')}: {self.message}", err=True, color=colour)


class Group(click.Group):
    """Turns the errors of bad input into one line and exit code 2, and honours NO_COLOR."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        if os.environ.get("NO_COLOR"):
            ctx.color = False
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")  # a terminal without the sign ≤ shows ? and goes on
        try:
            return super().invoke(ctx)
        except (ClaimError, RecordError, InputError) as error:
            raise BadInput(str(error)) from error
        except BrokenPipeError:  # the reader has seen enough
            raise
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            raise BadInput(
                f"{place}{error.strerror or error}: expected a file or folder that can be used"
            ) from error


def _seconds(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """Seconds from a time such as 30s, 500ms, 2m or 1h; a bare number is seconds."""
    if value is None:
        return None
    text = value.strip().lower()
    digits = text.rstrip("mshin")
    try:
        seconds = float(digits) * UNITS[text[len(digits) :].strip()]
    except (KeyError, ValueError):
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise click.BadParameter(
            f"{value!r}: expected a time above zero, such as 30s, 500ms, 2m or 1h", context, parameter
        )
    return seconds


def _together(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def effort(profile: str) -> Callable[[Command], Command]:
    """The options that say how hard to look, with this default profile."""
    return _together(
        click.option(
            "--profile",
            type=click.Choice(["quick", "default", "deep"]),
            default=profile,
            show_default=True,
            help="How hard to look.",
        ),
        click.option(
            "--seed",
            type=click.IntRange(0),
            default=0,
            show_default=True,
            help="Same seed, same machine: the same bytes.",
        ),
        click.option(
            "--budget",
            callback=_seconds,
            metavar="TIME",
            help="Nominal time a claim, such as 30s (counted work, not the clock).",
        ),
        click.option("--jobs", type=click.IntRange(1), help="Processes to use.  [default: one per core]"),
        click.option(
            "--executor",
            type=click.Choice(["processes", "dask"]),
            default="processes",
            show_default=True,
            help="What runs the claims; dask needs the extra of that name.",
        ),
        click.option(
            "--cluster",
            metavar="ADDRESS",
            help="A dask scheduler, such as tcp://host:8786; else one is started here.",
        ),
        click.option(
            "--strict",
            is_flag=True,
            help="Exit with 3 if a claim is undecided or vacuous and nothing is wrong.",
        ),
    )


loudness = _together(
    click.option("-q", "--quiet", is_flag=True, help="Only the last line, and errors."),
    click.option(
        "-v", "--verbose", is_flag=True, help="Every claim in full, with terms and planted falsehoods."
    ),
)
json_file = click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Also write the results here; - for standard output.",
)
out_folder = click.option(
    "--out",
    type=click.Path(file_okay=False),
    default=OUT,
    show_default=True,
    metavar="DIR",
    help="Folder for the report.",
)


def settings_of(options: Mapping[str, Any]) -> Settings:
    """The settings that the options of `effort` stand for."""
    from properties.session import Settings

    names = ("profile", "seed", "budget", "jobs", "strict", "executor", "cluster")
    return Settings(**{name: options[name] for name in names})


def say(text: str) -> None:
    """A remark, on standard error."""
    click.echo(text, err=True)


def report_errors(errors: Iterable[Mapping[str, str]]) -> int:
    """Print the claims that could not be read; 2 if there are any, else 0."""
    messages = [error["message"] for error in errors]
    for message in messages:
        BadInput(message).show()
    return 2 if messages else 0


def finish(code: int) -> None:
    """End with an exit code, unless all went well."""
    if code:
        sys.exit(code)
