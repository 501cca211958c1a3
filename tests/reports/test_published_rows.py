from __future__ import annotations

import csv
import io

import numpy as np
import pytest
import yaml

from bench.errors import UnknownNameError
from bench.metrics.composite import over_methods
from reports.load import load
from reports.published import Published, names, published
from reports.render import records, to_csv, to_json, to_markdown
from reports.table import build


def metric(name: str, direction: str = "higher") -> dict[str, str]:
    return {"name": name, "identity": f"{name}@1[x]", "direction": direction, "unit": "", "summary": f"{name} says"}


@pytest.fixture
def runs(rack):
    suite = rack.shelf()
    metrics = (metric("clap:nano-clap"), metric("lpaps@manor2024:laion-clap", "lower"))

    def values(clap):
        return {"clap:nano-clap": clap, "lpaps@manor2024:laion-clap": 5.0 - clap}

    return [
        load(rack.run(suite, name, values(clap), metrics=metrics, role=role))
        for name, clap, role in (("ours", 0.9, "method"), ("sdedit", 0.2, "baseline"), ("silence", 1.0, "control"))
    ]


def test_every_file_can_be_read_and_says_where_it_is_from() -> None:
    assert names() == ("mi-inpainting", "polyphonia-musdb18hq", "polyphonia-musicdelta")
    for name in names():
        table = published(name)
        assert all((table.paper, table.found, table.setting, table.caution)) and table.systems
        assert all(measure.identity for measure in table.measures.values())


def test_the_composites_of_polyphonia_follow_from_its_other_columns() -> None:
    systems = published("polyphonia-musicdelta").systems

    def column(name):
        return np.array([system.values[name].value for system in systems])

    assert over_methods(column("CLAP"), -column("LPAPS")) == pytest.approx(column("ASB"), abs=0.002)
    assert over_methods(column("CLAP"), column("CQT1-PCC")) == pytest.approx(column("AMB"), abs=0.002)


def test_the_headline_of_the_paper_follows_from_its_numbers() -> None:
    found = {system.label: system.values["CLAP"].value for system in published("polyphonia-musdb18hq").systems}
    assert found["Polyphonia"] / found["Melodia"] == pytest.approx(1.155, abs=0.001)


def test_a_number_stands_only_in_the_column_of_its_own_network(runs) -> None:
    section = build(runs, published=["polyphonia-musicdelta"]).sections[0]
    row = section.published[0].rows[0]
    shown = {c.name: value and value.text for c, value in zip(section.columns, row.values, strict=True)}
    assert (shown["clap:nano-clap"], shown["lpaps@manor2024:laion-clap"]) == (None, "6.907")
    assert any("No column here for CLAP" in note.text and "Melodia 0.380" in note.text for note in _notes(section))


def test_ranks_bests_and_intervals_do_not_know_of_them(runs) -> None:
    plain, with_them = build(runs), build(runs, published=["polyphonia-musicdelta", "mi-inpainting"])
    assert plain.sections[0].rows == with_them.sections[0].rows
    assert plain.sections[0].columns == with_them.sections[0].columns
    ranks = {row.label: str(row.cells[0].ranks) for row in plain.sections[0].rows}
    assert ranks == {"ours": "1", "sdedit": "2", "silence": "None"}


def test_they_are_marked_in_every_medium(runs) -> None:
    table = build(runs, published=["polyphonia-musicdelta"])
    text = to_markdown(table)
    assert "| Melodia *(as published)* |  |  | *3.540* |" in text
    assert text.index("silence") < text.index("As published, not measured here, not ranked") < text.index("| Melodia")
    rows = [row for row in csv.DictReader(io.StringIO(to_csv(table))) if row["role"] == "published"]
    melodia = next(row for row in rows if row["run"] == "Melodia (as published)")
    assert (melodia["mean"], melodia["low"], melodia["n"], melodia["rank_best"]) == ("3.54", "", "", "")
    assert melodia["identity"].startswith("as published: ") and melodia["run_digest"] == melodia["suite_digest"] == ""
    assert all(row["identity"].startswith("as published") == (row["role"] == "published") for row in records(table))
    assert "polyphonia-musicdelta" in to_json(table)["sections"][0]["published"]


def test_without_being_asked_for_they_are_not_there(runs) -> None:
    assert "published" not in to_markdown(build(runs))


def test_an_unknown_table_suggests_a_known_one(runs) -> None:
    with pytest.raises(UnknownNameError) as caught:
        build(runs, published=["polyphonia-musicdelt"])
    assert "polyphonia-musicdelta" in caught.value.remedy


def test_a_value_of_an_undescribed_column_is_an_error() -> None:
    text = """
schema: timbrebench-published@1
title: t
paper: p
found: f
setting: s
caution: c
measures: {}
systems: [{label: x, values: {CLAP: 0.1}}]
"""
    with pytest.raises(ValueError, match="CLAP"):
        Published.model_validate(yaml.safe_load(text))


def _notes(section):
    return [note for block in section.published for note in block.notes]
