"""Claims and derivations from a user's file: what it defines at top level, in order of definition."""

from __future__ import annotations

import runpy
import sys
import traceback
from collections.abc import Iterable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, TypeVar

from bounds.claim import Claim
from bounds.derivation import Derivation
from bounds.errors import ClaimError

__all__ = ["load", "load_derivations"]

Item = TypeVar("Item", Claim, Derivation)


def load(path: str | Path) -> list[Claim]:
    """The claims of a file, sorted as they stand in it.

    path : a Python file such as ``my_bound.py``; it is run, so it must be one you trust.
    Raises ClaimError, naming the file, if it cannot be read or run, or if it defines no claim, or one key
    twice.
    """
    return _unique(_defined(_run(path), Claim), str(path), "Claim")


def load_derivations(path: str | Path) -> list[Derivation]:
    """The derivations of a file, as `load` reads claims.

    Raises ClaimError, naming the file, if it cannot be read or run, or if it defines no derivation, or one
    key twice.
    """
    return _unique(_defined(_run(path), Derivation), str(path), "Derivation")


def _run(path: str | Path) -> dict[str, Any]:
    """What running the file defines."""
    if not isinstance(path, str | Path):
        raise ClaimError("file", path, "the path of a Python claim file, such as my_bound.py")
    shown = str(path)
    file = Path(path)
    if file.suffix != ".py":
        raise ClaimError("file", shown, "a Python claim file, such as my_bound.py", shown)
    if not file.is_file():
        raise ClaimError("file", shown, "an existing file", shown)
    try:
        with redirect_stdout(sys.stderr):  # what the file prints is no part of our results
            return runpy.run_path(str(file))
    except ClaimError as error:
        raise error.within(shown) from error
    except SyntaxError as error:
        line, place = (error.text or "").strip(), f"line {error.lineno}: " if error.lineno else ""
        expected = f"Python that can be read, in UTF-8; {place}{error.msg}"
        raise ClaimError("syntax" if line else "file", line or shown, expected, shown) from error
    except Exception as error:
        raise ClaimError(
            "file", shown, f"a file that runs; {_where(error, file)}{type(error).__name__}: {error}", shown
        ) from error
    except SystemExit as error:
        raise ClaimError(
            "file", shown, f"a file that runs to its end; it exits with {error.code}", shown
        ) from error


def _defined(module: dict[str, Any], kind: type[Item]) -> list[Item]:
    found: dict[int, Item] = {}
    for value in module.values():
        items: Iterable[Any] = value if isinstance(value, list | tuple) else [value]
        found |= {id(item): item for item in items if isinstance(item, kind)}
    return list(found.values())


def _unique(items: list[Item], shown: str, kind: str) -> list[Item]:
    if not items:
        raise ClaimError("file", shown, f"at least one {kind} at top level", shown)
    keys: set[str] = set()
    for item in items:
        if item.key in keys:
            raise ClaimError("key", item.key, "a key used once in a file", shown)
        keys.add(item.key)
    return items


def _where(error: BaseException, file: Path) -> str:
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).name == file.name
    ]
    return f"line {frames[-1].lineno}: " if frames else ""
