"""Reads LaTeX as TeX groups it, as far as a table goes; stands in for a compiler, which the tests do not have."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

COMMANDS = {
    *("centering", "caption", "label", "small", "scriptsize", "footnotesize", "raggedright", "par", "medskip"),
    *("toprule", "midrule", "bottomrule", "emph", "textbf", "textsuperscript", "linewidth"),
    *("textbackslash", "textasciicircum", "textasciitilde", "textless", "textgreater", "textbar", "textquotedbl"),
    *("textquotesingle", "textasciigrave", "textdagger", "textdaggerdbl", "textsection", "textbullet", "ldots"),
    *("uparrow", "downarrow", "rightarrow", "cdot", "times", "pm", "leq", "geq", "infty"),
    *("Delta", "lambda", "rho", "sigma"),
}
_TOKEN = re.compile(r"\\([A-Za-z]+|.)|([{}&$%\n])", re.DOTALL)
_SPEC = re.compile(r"\{@\{\}(lr*)@\{\}\}")


@dataclass
class Tabular:
    """The columns (``lrr``), and how many cells each row has."""

    columns: str
    rows: list[int] = field(default_factory=list)


class Reader:
    """Asserts that groups, environments and formulas close, that no name became a command or an argument of one."""

    def __init__(self, text: str):
        self.text, self.position = text, 0
        self.depth, self.maths, self.cells = 0, False, 1
        self.environments: list[str] = []
        self.tabulars: list[Tabular] = []

    def read(self) -> list[Tabular]:
        while match := _TOKEN.search(self.text, self.position):
            self.position = match.end()
            command, sign = match.groups()
            if sign:
                self._sign(sign)
            elif command.isalpha():
                self._command(command)
            elif command == "\\":
                self._line_break()
            else:
                assert command in "{}$&#%_ ,", command
        assert (self.depth, self.environments, self.maths) == (0, [], False)
        return self.tabulars

    def _sign(self, sign: str) -> None:
        if sign == "%":
            self.position = self.text.index("\n", self.position)
        elif sign == "&":
            assert self.environments[-1] == "tabular" and self.depth == 0
            self.cells += 1
        elif sign == "$":
            self.maths = not self.maths
        else:
            assert not (sign == "\n" and self.maths)
            self.depth += {"{": 1, "}": -1, "\n": 0}[sign]
            assert self.depth >= 0, self.text[: self.position][-80:]

    def _command(self, name: str) -> None:
        if name in ("begin", "end"):
            self._environment(name)
        elif name == "multicolumn":
            self.cells += int(self._argument(r"\{(\d+)\}")) - 1
        else:
            assert name in COMMANDS, name
            assert not (name.endswith("rule") and re.match(r"\s*\[", self.text[self.position :])), "a rule's argument"

    def _environment(self, what: str) -> None:
        name = self._argument(r"\{([a-z*]+)\}")
        self.cells = 1
        if what == "end":
            assert self.environments.pop() == name and self.depth == 0
            return
        self.environments.append(name)
        if name == "tabular":
            self.tabulars.append(Tabular(self._argument(_SPEC.pattern)))

    def _line_break(self) -> None:
        assert self.environments[-1] == "tabular" and self.depth == 0
        self.tabulars[-1].rows.append(self.cells)
        assert not re.match(r"\s*[\[*]", self.text[self.position :]), "an argument of the line break"
        self.cells = 1

    def _argument(self, pattern: str) -> str:
        match = re.compile(pattern).match(self.text, self.position)
        assert match, self.text[self.position :][:40]
        self.position = match.end()
        return match[1]
