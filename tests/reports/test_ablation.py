from __future__ import annotations

import csv
import io

import pytest

from reports.load import load
from reports.render import to_json, to_markdown
from reports.sheet import sheet_csv
from reports.table import build

SONGS = tuple("ABCDEFGHIJ")
LPAPS = {"name": "lpaps:n", "identity": "lpaps@1[n]", "direction": "lower", "unit": "", "summary": "distance"}
CLAP = {"name": "clap:n", "identity": "clap@1[n]", "direction": "higher", "unit": "", "summary": "alignment"}


@pytest.fixture
def make(rack):
    suite = rack.shelf(songs=SONGS)

    def run(folder, gain, distance=4.0, method="polyphonia", **config):
        def noisy(value):
            return lambda item: value + 0.01 * (SONGS.index(item.song) % 3) + 0.001 * item.task.endswith("1")

        values = {"clap:n": noisy(gain), "lpaps:n": distance}
        return load(rack.run(suite, method, values, metrics=(CLAP, LPAPS), folder=folder, config=config))

    return run


class TestAblation:
    def test_each_run_with_one_knob_turned_is_a_row(self, make) -> None:
        base = make("base", 0.4, lam=2.5, prior="irm")
        no_bias = make("a", 0.1, lam=0, prior="irm")
        norm = make("b", 0.4, 4.5, lam=2.5, prior="norm")
        both = make("c", 0.2, lam=0, prior="norm")
        (sheet,) = build([base, no_bias, norm, both]).sections[0].sheets
        assert [label.partition(" (")[0] for label, _ in sheet.rows] == [
            "polyphonia",
            "lam: 2.5 → 0",
            "prior: irm → norm",
        ]
        (_, cells), (_, others) = sheet.rows[1:]
        assert (cells[0].text, cells[0].below, cells[0].strong) == ("-0.300", "[-0.300, -0.300]", True)
        assert (cells[1].text, cells[1].strong) == ("+0.000", False)
        assert (others[0].text, others[1].text, others[1].strong) == ("+0.000", "+0.500", True)
        assert any("prior=norm" in note.text and "differs in lam: 2.5 → 0, prior" in note.text for note in sheet.notes)

    def test_the_numbers_are_there_in_full(self, make) -> None:
        runs = [make("base", 0.4, lam=2.5), make("a", 0.1, lam=0)]
        section = build(runs).sections[0]
        (row, _) = csv.DictReader(io.StringIO(sheet_csv(section.sheets[0])))
        assert (row["knob"], row["base_setting"], row["setting"], row["n"], row["songs"]) == (
            "lam",
            "2.5",
            "0",
            "20",
            "10",
        )
        assert float(row["difference"]) == pytest.approx(-0.3) and float(row["p_holm"]) < 0.01
        assert to_json(build(runs))["sections"][0]["sheets"][0]["rows"][0]["base"] == pytest.approx(0.4, abs=0.02)

    def test_other_methods_seeds_of_one_config_and_single_runs_have_none(self, make) -> None:
        assert not build([make("x", 0.4, lam=1), make("y", 0.4, method="sdedit", lam=2)]).sections[0].sheets

    def test_hostile_knobs_are_escaped(self, make) -> None:
        runs = [make("base", 0.4, lam="|<b>"), make("a", 0.1, lam="=1 @you")]
        text = to_markdown(build(runs))
        assert "| lam: &#124;&lt;b&gt; → =1 @\u2060you |" in text
        (sheet,) = build(runs).sections[0].sheets
        assert ",'=1 @you," in sheet_csv(sheet)


class TestGrid:
    @pytest.fixture
    def grid(self, make):
        def cell(k, rho):
            return make(f"g{k}-{rho}", k, 10 * rho, method="mi-inpainting", k=k, rho=rho, steps=30)

        return [cell(*place) for place in ((0.4, 0.25), (0.6, 0.25), (0.6, 0.4), (0.5, 0.25))]

    def test_k_falls_down_the_rows_and_rho_grows_across(self, grid) -> None:
        sheets = [sheet for sheet in build(grid).sections[0].sheets if sheet.kind == "grid"]
        assert [sheet.title.split(":")[1].split()[0] for sheet in sheets] == ["clap", "lpaps"]
        preserved = sheets[1]
        assert preserved.heads == ("k \\ ρ", "0.25", "0.4")
        assert [(label, [cell.text for cell in row]) for label, row in preserved.rows] == [
            ("0.6", ["2.500", "4.000"]),
            ("0.5", ["2.500", "—"]),
            ("0.4", ["2.500", "—"]),
        ]

    def test_another_knob_makes_another_grid(self, make, grid) -> None:
        other = make("other", 0.5, method="mi-inpainting", k=0.5, rho=0.4, steps=60)
        sheets = build([*grid, other]).sections[0].sheets
        assert len([sheet for sheet in sheets if sheet.kind == "grid"]) == 2
        assert all(row["rho"] != 0.4 or row["k"] != 0.5 for s in sheets if s.kind == "grid" for row in s.records)

    def test_two_runs_are_no_grid(self, grid) -> None:
        assert not [sheet for sheet in build(grid[:2]).sections[0].sheets if sheet.kind == "grid"]
