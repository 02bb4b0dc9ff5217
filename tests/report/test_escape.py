"""Texts of users are shown as they are, in Markdown and in Mermaid, and never read as markup."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaosqs.report.text import code, fenced, mermaid, plain_text, shown

PIECES = re.findall(
    r"\S+", r"| ` `` \ * _ [ ]( ) <script> </td> &lt; @me #1 :// www. $ ~~ end ; # %% <!-- --> a é { : :tada: ->> GH-1"
)
NASTY = st.lists(st.sampled_from([*PIECES, " ", "\n", "\x00"]), max_size=8).map("".join)
BREAK = "<!-- -->"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("max_receive_count 2 (429)", "max_receive_count 2 (429)"),
        ("a|b", "a\\|b"),
        ("<script>", "&lt;script&gt;"),
        ("&amp;", "&amp;amp;"),
        ("`x` *y* _z_", "\\`x\\` \\*y\\* \\_z\\_"),
        ("[a](b)", "\\[a\\](b)"),
        ("a\nb", "a\\\\nb"),
        ("@octocat", f"@{BREAK}octocat"),
        ("#12", f"#{BREAK}12"),
        ("http://a", f"http:{BREAK}//a"),
        ("$x$", "<span>$</span>x<span>$</span>"),
    ],
)
def test_prose(text: str, expected: str) -> None:
    """Markup, mentions, links and formulas lose their meaning; ordinary words stay readable in the source."""
    assert plain_text(text) == expected


@given(NASTY)
def test_prose_shows_the_text(text: str) -> None:
    """Read as Markdown, the result is the text again: no tag but our own, nothing lost."""
    result = plain_text(text).replace(BREAK, "").replace("<span>$</span>", "$")
    assert "<" not in result
    assert html.unescape(re.sub(r"\\([\\`*\[\]|~_])", r"\1", result)) == shown(text, 1000)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", "`a`"),
        ("a`b", "``a`b``"),
        ("`", "`` ` ``"),
        ("", "–"),
        ("a|b", "<code>a&#124;b</code>"),
        ("\n", "<code>&#92;n</code>"),
    ],
)
def test_code(text: str, expected: str) -> None:
    """A code span is fenced by more backticks than it contains; what a table would read is written as a reference."""
    assert code(text) == expected


@given(NASTY)
def test_code_stays_in_its_cell(text: str) -> None:
    """No code span can end a table cell or begin a tag."""
    result = code(text)
    assert "|" not in result
    assert "\n" not in result
    if result.startswith("<code>"):
        assert html.unescape(result) == f"<code>{shown(text, 200)}</code>"
        assert "<" not in result.removeprefix("<code>").removesuffix("</code>")


@given(NASTY)
def test_a_fence_is_longer_than_what_it_fences(text: str) -> None:
    """No line of a code block can end it."""
    opening, *lines, closing = fenced(text, "python").split("\n")
    assert opening == f"{closing}python"
    assert not any(closing in line for line in lines)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("orders-dlq", "orders-dlq"),
        ("a;b#c:d", "a#59;b#35;c#58;d"),
        ("the end", "the #101;nd"),
        ("<b>`x`", "#60;b#62;#96;x#96;"),
        ("", "–"),
        ("1–5, 7 → 注文", "1–5, 7 → 注文"),
    ],
)
def test_mermaid(text: str, expected: str) -> None:
    """What might be syntax becomes a character code, which Mermaid shows as the character."""
    assert mermaid(text) == expected


@given(NASTY)
def test_a_mermaid_label_has_no_syntax(text: str) -> None:
    """Codes apart, only harmless characters are left, and the word `end` never stands alone."""
    label = re.sub(r"#\d+;", "§", mermaid(text))
    assert not re.search(r"[;#:`<>%{}\[\]|\"\\\n&$@*~!?^]", label)
    assert not re.search(r"\bend\b", label, re.IGNORECASE)
    assert label.strip()
