"""Files on disk: written whole or not at all, and the finished records of an interrupted run."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from reports.record import Record, canonical

__all__ = ["PARTIAL", "Partial", "write", "write_all"]

PARTIAL = "partial.jsonl"


def write(path: str | Path, text: str) -> None:
    """Write a file whole: to a temporary neighbour, which then takes its name. Makes missing folders."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def write_all(texts: Mapping[str | Path, str]) -> None:
    """Write several files; the caller has made every text before the first is written."""
    for path, text in texts.items():
        write(path, text)


class Partial:
    """The finished records of a run that has not ended, a JSON line each, so that an interrupted run resumes.

    path : the file; it is deleted when the run ends.
    Each record is kept under a token: text that says everything the record depends on.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def records(self) -> dict[str, Record]:
        """The records by token; a line cut short by the interruption is dropped."""
        try:
            lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return {}
        return {token: record for token, record in map(_read, lines) if record}

    def append(self, token: str, record: Record) -> None:
        """Keep one finished record."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps([token, canonical(record)], allow_nan=False)
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(f"\n{line}\n")  # the leading newline ends a line that an interruption cut short

    def delete(self) -> None:
        """The run has ended: nothing is left to resume."""
        self.path.unlink(missing_ok=True)


def _read(line: str) -> tuple[str, Record]:
    try:
        token, record = json.loads(line)
    except (TypeError, ValueError):
        return "", {}
    return (token, record) if isinstance(token, str) and isinstance(record, dict) else ("", {})
