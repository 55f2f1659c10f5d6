"""What changed in a claim file between two git revisions, and what is said when there are none."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Invoke = Callable[..., Result]
LOOSER = "(M2 + d) / (ls.exp(T) - 1)"


def _git(*words: str) -> None:
    name = ("-c", "user.email=a@b", "-c", "user.name=x", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *name, *words], check=True, capture_output=True)


@pytest.fixture
def repository(lesssim: Invoke, fake: Any, bound_file: Callable[..., str]) -> str:
    """Two commits of a claim file in the working folder: renamed and loosened in the second."""
    _git("init", "-q")
    file = bound_file(Path("my_bound.py"))
    _git("add", file)
    _git("commit", "-qm", "one")
    bound_file(Path(file), "thm-2")
    _git("commit", "-qam", "two")
    bound_file(Path(file), "thm-2", LOOSER)
    return file


def test_a_renamed_claim_is_followed(lesssim: Invoke, repository: str) -> None:
    found = lesssim("baseline", "revisions", repository, "HEAD~1", "HEAD")
    assert found.exit_code == 0, found.output
    assert found.stdout.splitlines()[0] == "1 note; 1 claim compared"
    assert "my-note/thm-2: renamed from my-note/thm-1" in found.stdout


def test_without_a_second_revision_the_file_as_it_stands(lesssim: Invoke, repository: str) -> None:
    found = lesssim("baseline", "revisions", repository, "HEAD", "--json")
    assert "the claim was edited" in [change["what"] for change in json.loads(found.stdout)]


def test_what_is_the_same_is_judged_once(lesssim: Invoke, repository: str, fake: Any) -> None:
    assert lesssim("baseline", "revisions", repository, "HEAD", "HEAD").stdout == "no change in 1 claim\n"
    assert fake.worked == ["my-note/thm-2"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("my_bound.py", "HEAD~7"), "revision='HEAD~7': expected a revision of that repository"),
        (("other_bound.py", "HEAD"), "file='other_bound.py': expected a file that revision HEAD has"),
        (("away/my_bound.py", "HEAD"), "expected a file in a folder that exists"),
        (("my_bound.py", ""), "revision='': expected a revision"),
    ],
)
def test_what_is_not_there_is_one_line(
    lesssim: Invoke, repository: str, words: tuple[str, ...], message: str
) -> None:
    found = lesssim("baseline", "revisions", *words)
    assert found.exit_code == 2
    assert message in found.stderr
    assert len(found.stderr.splitlines()) == 1


def test_a_file_that_cannot_be_read_is_named_with_its_revision(lesssim: Invoke, repository: str) -> None:
    Path(repository).write_text("import (", encoding="utf-8")
    _git("commit", "-qam", "broken")
    found = lesssim("baseline", "revisions", repository, "HEAD~1", "HEAD")
    assert found.exit_code == 2
    assert "HEAD:my_bound.py: syntax='import ('" in found.stderr


def test_outside_a_repository(lesssim: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    found = lesssim("baseline", "revisions", "my_bound.py", "HEAD")
    assert found.exit_code == 2
    assert "in the working tree of a git repository" in found.stderr
