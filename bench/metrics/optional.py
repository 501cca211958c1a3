"""Packages that some metrics need and timbrebench does not install: their pins or licences would bind everybody.

A metric with such a package gives `Missing("not-installed")` where it is absent, so that `--metrics all` runs anywhere.
Whoever asks for the metric by name is told what to install (`Package.require`, called by the command line).
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec

from bench.errors import ModelError
from bench.metric import Missing


@dataclass(frozen=True)
class Package:
    """A package that may be installed.

    Attributes:
        name: as the package index has it. modules: what must be importable. install: the command that brings it.
    """

    name: str
    modules: tuple[str, ...]
    install: str

    @property
    def installed(self) -> bool:
        """Whether it can be imported. Imports nothing."""
        return all(find_spec(module) is not None for module in self.modules)

    @property
    def described(self) -> str:
        """Name and version, for identities: a value that is missing for want of the package is asked again with it."""
        return f"{self.name} {version(self.name)}" if self.installed else f"{self.name} not installed"

    def missing(self) -> Missing | None:
        """Why there is no value, if it is not installed."""
        return None if self.installed else Missing("not-installed", f"{self.name} is not installed: {self.install}")

    def require(self) -> None:
        """Be sure that it is installed.

        Raises:
            ModelError: `model/not-installed`, with the command.
        """
        if not self.installed:
            raise ModelError(
                f"the package {self.name} is not installed",
                remedy=f"Install it: {self.install}. The licence of its weights is its own.",
                code="model/not-installed",
            )
