"""Names made harmless for the place they are shown in.

Song titles, prompts, labels and reasons come from data sets and from other people's runs. `clean` makes any of
them one visible line and is applied in every medium; `markdown` and `csv_cell` add what their medium needs. HTML
needs no more than `clean`: the template engine escapes it.
"""

from __future__ import annotations

import re
import unicodedata

_WORD_JOINER = "\u2060"
_BACKSLASHED = re.compile(r"([\\`*_\[\]~$])")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"})
# GitHub and GitLab link these after Markdown is parsed, so no Markdown escape reaches them: an invisible joiner does.
# A letter beyond ASCII before them does not stop GitHub, and a word before # names another repository's issue.
_LINKED = re.compile(
    r"(?<!\w)([@!])(?=\w)|(#)(?=\w)|\b(GH)(?=-\d)|(:)(?=//)|(?<!\w)(www)(?=\.)", re.IGNORECASE | re.ASCII
)
_FORMULA_START = tuple("=+-@\uff1d\uff0b\uff0d\uff20")


def clean(text: str) -> str:
    r"""One line that shows everything it holds: control characters become visible signs.

    Escape sequences lose their ESC and so their power, line breaks become spaces, and characters without a shape
    (direction overrides, zero-width joiners, lone surrogates) become the replacement sign.

    >>> clean("red \x1b[31m\nnext")
    'red ␛[31m next'
    """
    return "".join(map(_visible, text))


def _visible(character: str) -> str:
    if character in "\t\n\r\v\f\x85\u2028\u2029":
        return " "
    if unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Cn"}:
        return character
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"


def markdown(text: str) -> str:
    r"""Text that Markdown shows as it is, inside a table cell too: no markup, HTML, links or mentions.

    >>> markdown("a|b <b> *c* _d")
    'a&#124;b &lt;b&gt; \\*c\\* \\_d'
    """
    apart = _LINKED.sub(lambda found: found.group(0) + _WORD_JOINER, clean(text))
    return _BACKSLASHED.sub(r"\\\1", apart.translate(_ENTITIES))


def csv_cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula (OWASP: CSV injection).

    >>> csv_cell("=1+1"), csv_cell("sdedit")
    ("'=1+1", 'sdedit')
    """
    line = clean(text)
    return f"'{line}" if line.lstrip().startswith(_FORMULA_START) else line
