"""A run of claims as a person sees it: progress on a long run, each verdict as soon as its turn comes, and
resumption after an interruption.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from reports.options import version
from reports.record import Record, Results
from reports.store import PARTIAL, Partial

if TYPE_CHECKING:
    from rich.progress import Progress

    from bounds.claim import Claim
    from properties.session import Settings

__all__ = ["Interrupted", "forget", "run"]

PATIENCE = 2.0  # seconds before a progress bar appears


class Interrupted(Exception):
    """The run was stopped by the user; finished records are kept for the next run."""

    def __init__(self, finished: int, total: int, path: Path) -> None:
        super().__init__(
            f"interrupted: {finished} of {total} claims are finished and kept in {path}; "
            "the same command resumes"
        )


def run(
    entries: Sequence[tuple[str, Claim]],
    settings: Settings,
    out: Path,
    *,
    show: Callable[[Record], None],
    say: Callable[[str], None],
    progress: bool,
    falsehoods: bool,
) -> Results:
    """Verify the claims, in their order, reusing the records that an interrupted run left in ``out``.

    Finished records stay there until `forget` is called, once the results are safe.

    show     : called with each record, in the order of the entries, as soon as its turn has come.
    say      : called with remarks.
    progress : whether a progress bar may appear on standard error.
    falsehoods : whether the planted falsehoods of the claims are judged too.
    Raises Interrupted on Ctrl-C.
    """
    from properties.session import verify
    from reports.selection import planted

    false = planted(entries) if falsehoods else []
    partial = Partial(out / PARTIAL)
    tokens = _tokens(entries, false, settings)
    done = _reusable(entries, tokens, partial.records())
    if done:
        say(f"resumed: {len(done)} of {len(entries)} claims were finished by an interrupted run")
    turn = _InTurn(entries, show)
    for record in done.values():
        turn.take(record)
    finished = len(done)
    with _Bar(len(entries), finished) if progress else nullcontext() as bar:

        def on_done(record: Record) -> None:
            nonlocal finished
            finished += 1
            partial.append(tokens[record["file"], record["key"]], record)
            with bar.advance(record["key"]) if bar else nullcontext():
                turn.take(record)

        try:
            results: Results = verify(
                entries,
                settings,
                falsehoods=false,
                on_start=bar.start if bar else None,
                on_done=on_done,
                done=done,
            )
        except KeyboardInterrupt:
            raise Interrupted(finished, len(entries), partial.path) from None
    for record in results["claims"]:
        turn.take(record)
    return results


def forget(out: Path) -> None:
    """The results are written: nothing is left to resume."""
    Partial(out / PARTIAL).delete()


def _tokens(
    entries: Sequence[tuple[str, Claim]], falsehoods: Sequence[Claim], settings: Settings
) -> dict[tuple[str, str], str]:
    """For each entry, text that says everything its record depends on."""
    common = [settings.seed, settings.profile, settings.budget, version(), _code()]
    tokens = {}
    for file, claim in entries:
        planted = sorted(item.hash for item in falsehoods if item.key.startswith(f"{claim.key}!"))
        tokens[file, claim.key] = json.dumps([file, claim.key, claim.hash, *planted, *common])
    return tokens


def _code() -> int:
    """When the code that judges was last changed."""
    import bounds
    import properties
    import simulators

    roots = [Path(path) for package in (bounds, properties, simulators) for path in package.__path__]
    return max(file.stat().st_mtime_ns for root in roots for file in root.rglob("*.py"))


def _reusable(
    entries: Sequence[tuple[str, Claim]], tokens: Mapping[tuple[str, str], str], kept: Mapping[str, Record]
) -> dict[str, Record]:
    """The kept records of these entries by claim hash, but for a hash that two entries share."""
    hashes = [claim.hash for _, claim in entries]
    return {
        claim.hash: kept[tokens[file, claim.key]]
        for file, claim in entries
        if tokens[file, claim.key] in kept and hashes.count(claim.hash) == 1
    }


class _InTurn:
    """Shows records in the order of the entries, whatever the order in which they come; each once."""

    def __init__(self, entries: Sequence[tuple[str, Claim]], show: Callable[[Record], None]) -> None:
        self.waiting = [(file, claim.key) for file, claim in entries]
        self.ready: dict[tuple[str, str], Record] = {}
        self.show = show

    def take(self, record: Record) -> None:
        place = (record["file"], record["key"])
        if place in self.waiting:
            self.ready[place] = record
        while self.waiting and self.waiting[0] in self.ready:
            self.show(self.ready.pop(self.waiting.pop(0)))


class _Bar:
    """A progress bar on standard error that appears only when a run lasts."""

    def __init__(self, total: int, finished: int) -> None:
        self.total = total
        self.finished = finished
        self.began = time.monotonic()
        self.bar: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bar is not None:
            self.bar.stop()

    def start(self, key: str) -> None:
        """A claim is being worked on."""
        if self.bar is None and time.monotonic() - self.began > PATIENCE:
            self.bar = _progress(self.total, self.finished, key)
            self.bar.start()
        if self.bar is not None:
            self.bar.update(self.bar.task_ids[0], completed=self.finished, description=key)

    def advance(self, key: str) -> AbstractContextManager[Any]:
        """A claim is finished; inside the returned context the bar is out of the way of printed lines."""
        self.finished += 1
        self.start(key)
        return nullcontext() if self.bar is None else _Aside(self.bar)


class _Aside:
    def __init__(self, bar: Progress) -> None:
        self.bar = bar

    def __enter__(self) -> None:
        self.bar.stop()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.stdout.flush()
        self.bar.start()


def _progress(total: int, finished: int, key: str) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    progress = Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False)
    progress.add_task(key, total=total, completed=finished)
    return progress
