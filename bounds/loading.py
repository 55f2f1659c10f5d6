"""Claims from a user's file: every `Claim` that it defines at top level, in order of definition."""

from __future__ import annotations

import runpy
import traceback
from collections.abc import Iterable
from pathlib import Path

from bounds.claim import Claim
from bounds.errors import ClaimError

__all__ = ["load"]


def load(path: str | Path) -> list[Claim]:
    """The claims of a file, sorted as they stand in it.

    path : a Python file such as ``my_bound.py``; it is run, so it must be one you trust.
    Raises ClaimError, naming the file, if it cannot be read or run, or if it defines no claim, or one key
    twice.
    """
    shown = str(path)
    file = Path(path)
    if file.suffix != ".py":
        raise ClaimError("file", shown, "a Python claim file, such as my_bound.py", shown)
    if not file.is_file():
        raise ClaimError("file", shown, "an existing file", shown)
    try:
        module = runpy.run_path(str(file))
    except ClaimError as error:
        raise error.within(shown) from error
    except SyntaxError as error:
        raise ClaimError(
            "syntax",
            (error.text or "").strip(),
            f"Python that can be read; line {error.lineno}: {error.msg}",
            shown,
        ) from error
    except Exception as error:
        raise ClaimError(
            "file", shown, f"a file that runs; {_where(error, file)}{type(error).__name__}: {error}", shown
        ) from error
    except SystemExit as error:
        raise ClaimError(
            "file", shown, f"a file that runs to its end; it exits with {error.code}", shown
        ) from error
    return _unique(_claims(module.values()), shown)


def _claims(values: Iterable[object]) -> list[Claim]:
    found: dict[int, Claim] = {}
    for value in values:
        items = value if isinstance(value, list | tuple) else [value]
        found |= {id(item): item for item in items if isinstance(item, Claim)}
    return list(found.values())


def _unique(claims: list[Claim], shown: str) -> list[Claim]:
    if not claims:
        raise ClaimError("file", shown, "at least one Claim at top level", shown)
    keys: set[str] = set()
    for claim in claims:
        if claim.key in keys:
            raise ClaimError("key", claim.key, "a key used once in a file", shown)
        keys.add(claim.key)
    return claims


def _where(error: BaseException, file: Path) -> str:
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).name == file.name
    ]
    return f"line {frames[-1].lineno}: " if frames else ""
