"""Claim files as editors and people leave them: ends of lines, byte-order marks, prints, other encodings."""

import pytest

from bounds.errors import ClaimError
from bounds.loading import load

TEXT = """\
import lesssim as ls
claim = ls.Claim(key="note/k", lhs="KL0", terms={"i": "(M2 + d)/2"}, setup=ls.Setup(clock="half"))
"""


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        TEXT.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf" + TEXT.encode(),
        TEXT.replace("claim =", "if True:\n\tclaim =").encode(),
        TEXT.replace("M2 + d", "+".join(["M2 + d"] * 1000)).encode(),
        TEXT.replace('"i"', '"größter Fehler ε"').encode(),
    ],
    ids=["plain", "carriage returns", "byte-order mark", "tabs", "long lines", "unicode"],
)
def test_a_file_is_read_however_it_was_saved(tmp_path, content):
    file = tmp_path / "größe_bound.py"
    file.write_bytes(content)
    assert [claim.key for claim in load(file)] == ["note/k"]


def test_what_a_file_prints_stays_out_of_our_output(tmp_path, capsys):
    file = tmp_path / "a_bound.py"
    file.write_text(TEXT + "print('from the file')\n")
    load(file)
    assert capsys.readouterr() == ("", "from the file\n")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (TEXT.encode("utf-16"), "in UTF-8; .*null bytes"),
        (TEXT.replace("note", "n\xf6te").encode("latin-1"), "line 2: .*utf-8"),
        (TEXT.replace("setup=", "").encode(), "syntax='claim = ls.Claim"),
        (b"", "at least one Claim"),
        ((TEXT + TEXT.replace("claim =", "again =")).encode(), "a key used once"),
        ((TEXT + "import sys; sys.exit(0)\n").encode(), "exits with 0"),
        ((TEXT + "1/0\n").encode(), "line 3: ZeroDivisionError"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_error_that_names_it(tmp_path, content, message):
    file = tmp_path / "a_bound.py"
    file.write_bytes(content)
    with pytest.raises(ClaimError, match=message) as caught:
        load(file)
    assert str(caught.value).startswith(str(file))
    assert "None" not in str(caught.value)
