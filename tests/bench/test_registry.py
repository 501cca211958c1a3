"""Registries: lazy, typed, with plug-ins that may be broken."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint

import pytest

import bench.registry
from bench.errors import UnknownNameError, UsageError
from bench.registry import Registry


@pytest.fixture
def numbers(monkeypatch: pytest.MonkeyPatch) -> Registry[object]:
    points = [
        EntryPoint("half", "fractions:Fraction", "test.numbers"),
        EntryPoint("real", "decimal:Decimal", "test.numbers"),
        EntryPoint("broken", "no_such_package:Thing", "test.numbers"),
    ]
    monkeypatch.setattr(bench.registry, "entry_points", lambda group: points if group == "test.numbers" else [])
    registry: Registry[object] = Registry("number", base="numbers:Number", group="test.numbers")
    registry.add("real", "builtins:float", "what ships")
    return registry


def test_plug_ins_are_found_and_a_taken_name_is_one_warning(numbers: Registry[object]) -> None:
    with pytest.warns(UserWarning, match=r"plug-in ignored: the number name 'real' is taken by builtins:float"):
        names = [entry.name for entry in numbers.entries()]
    assert names == ["broken", "half", "real"]
    assert numbers.get("half").__name__ == "Fraction"
    assert numbers.get("real") is float


@pytest.mark.filterwarnings("ignore:plug-in ignored")
def test_a_broken_plug_in_hurts_only_who_asks_for_it(numbers: Registry[object]) -> None:
    with pytest.raises(UsageError, match="no_such_package"):
        numbers.get("broken")
    assert numbers.get("half")


@pytest.mark.filterwarnings("ignore:plug-in ignored")
def test_dotted_paths_and_wrong_classes(numbers: Registry[object]) -> None:
    assert numbers.get("builtins:int") is int
    with pytest.raises(UsageError, match="is not a number"):
        numbers.get("builtins:str")
    with pytest.raises(UnknownNameError, match="Did you mean half"):
        numbers.get("halff")


def test_a_name_is_taken_once() -> None:
    registry: Registry[object] = Registry("thing", base="builtins:object")
    registry.add("a", "builtins:int", "one")
    with pytest.raises(UsageError, match="is taken"):
        registry.add("a", "builtins:str", "two")


def test_listing_imports_nothing() -> None:
    sys.modules.pop("colorsys", None)
    registry: Registry[object] = Registry("thing", base="builtins:object")
    registry.add("a", "colorsys:rgb_to_hsv", "one")
    assert [entry.summary for entry in registry.entries()] == ["one"]
    assert "colorsys" not in sys.modules
