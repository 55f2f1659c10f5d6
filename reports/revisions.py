"""A claim file as it stands in a git revision: its text, its claims, and what a run of them comes to."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bounds.errors import ClaimError

if TYPE_CHECKING:
    from bounds.claim import Claim

__all__ = ["claims_at", "text_at"]

_ABSENT = ("exists on disk, but not in", "does not exist in", "but not in")
"""What git says of a path that a revision does not have."""


def text_at(file: str, revision: str) -> str:
    """The text of a file in a git revision.

    Raises ClaimError, in one line, if there is no git, no repository around the file, no such revision, or no
    such file in it.
    """
    path = Path(file)
    folder = path.parent
    if not folder.is_dir():
        raise ClaimError("file", file, "a file in a folder that exists", "command line")
    if _git(folder, "rev-parse", "--is-inside-work-tree").stdout.strip() != "true":
        raise ClaimError("file", file, "a file in the working tree of a git repository", "command line")
    named = revision.strip() and not revision.startswith("-")
    if not named or _git(folder, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").returncode:
        what = "a revision of that repository, such as HEAD~1, a branch, a tag or a commit"
        raise ClaimError("revision", revision, what, "command line")
    found = _git(folder, "show", f"{revision}:./{path.name}")
    if found.returncode and any(words in found.stderr for words in _ABSENT):
        raise ClaimError("file", file, f"a file that revision {revision} has", "command line")
    if found.returncode:
        said = found.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise ClaimError("file", file, f"a file that git can show at {revision}; {said[0]}", "command line")
    return found.stdout


def _git(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, check=False, encoding="utf-8"
        )
    except FileNotFoundError as error:
        raise ClaimError("git", "(missing)", "git on the path", "command line") from error
    except UnicodeDecodeError as error:
        raise ClaimError("file", words[-1], "text in UTF-8", "command line") from error


def claims_at(file: str, revision: str) -> list[Claim]:
    """The claims of a file in a git revision; errors name it as REVISION:FILE.

    The file is run by itself, so it must not import others of its folder.
    """
    from bounds.loading import load

    text = text_at(file, revision)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / Path(file).name
        copy.write_text(text, encoding="utf-8")
        try:
            return load(copy)
        except ClaimError as error:
            value = error.value if str(error.value) != str(copy) else file
            raise ClaimError(error.field, value, error.expected, f"{revision}:{file}") from error
