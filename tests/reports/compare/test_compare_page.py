from __future__ import annotations

import base64
import hashlib
import re
import shutil

import pytest
from made_comparison import breakdown, comparison, hostile, metric, pair, side
from parsed_page import EVIL, TAGS, Page

from reports.compare.html import write_page
from reports.compare.html.plots import of_group, of_metric
from reports.compare.model import FieldDifference, Verdict
from reports.load import load

BOTH = {"cqt1-pcc": 0.5, "dpd-pesto-cents": 50.0}
VERDICTS = list(Verdict)


@pytest.fixture
def runs(rack):
    suite = rack.shelf()
    return [load(rack.run(suite, name, BOTH)) for name in ("ours", "changed")]


def pairs_of(runs, gain: float = -1.5, **changes):
    """A pair of the runs for every task."""
    outcomes = [run.outcomes for run in runs]
    for item in runs[0].plan:
        base, new = (found[item.key].audio for found in outcomes)
        fields = {"task": item.task, "stem": "bass", "base_audio": base, "new_audio": new}
        yield pair(0, gain=gain, **{**fields, **changes})


def made(runs, **changes):
    worst, best = list(pairs_of(runs))[:2], list(pairs_of(runs, gain=1.0))[2:3]
    return comparison(**{"worst": worst, "best": best, **changes})


def page(out, found, runs) -> Page:
    path = write_page(found, *runs, out)
    assert path == out / "index.html"
    return Page(path.read_text("utf-8"))


def test_source_stems_true_edit_and_both_edits_can_be_heard_of_each_pair(runs, tmp_path) -> None:
    found = page(tmp_path / "site", made(runs), runs)
    assert len(found.all("article")) == 3
    labels = [player["aria-label"].split(":")[0] for player in found.all("audio")]
    assert labels[:6] == ["Base", "New", "True edit", "Mixture", "The bass alone", "The drums alone"]
    assert len(labels) == 18 and len(found.all("img")) == 21
    differences = [image for image in found.all("img") if image["alt"].startswith("Difference")]
    assert len(differences) == 3
    for address in [a["src"] for a in found.all("audio")] + [a["src"] for a in found.all("img")]:
        assert re.fullmatch(r"assets/[0-9a-f]{64}\.(flac|png)", address)
        assert (tmp_path / "site" / address).stat().st_size > 0


def test_the_worst_come_before_the_best_and_values_show_what_changed(runs, tmp_path) -> None:
    found = page(tmp_path / "site", made(runs), runs)
    assert found.texts["h3"][:2] == ["Edits that lost most", "Edits that gained most"]
    gains = [text for text in found.texts["span"] if text.startswith("gain")]
    assert gains == ["gain -1.50", "gain -1.50", "gain +1.00"]
    values = found.texts["dd"]
    assert "0.500" in values and "0.250 (-0.250)" in values and "— cents" in values


@pytest.mark.parametrize("verdict", VERDICTS)
def test_every_verdict_has_a_page_that_says_what_it_means(runs, tmp_path, verdict) -> None:
    field = FieldDifference(field="backbone.digest", base="aa", new="bb", allowed=verdict != Verdict.NOT_COMPARABLE)
    bare = {"metrics": (), "breakdowns": (), "worst": (), "best": ()} if verdict == Verdict.NOT_COMPARABLE else {}
    found = page(tmp_path / "site", made(runs, verdict=verdict, differences=(field,), **bare), runs)
    assert found.texts["h1"] == [f"{verdict}: ours against ours"]
    assert any(text.startswith(verdict) for text in found.texts["p"])
    assert "backbone.digest" in found.texts["th"]


def test_only_the_named_style_and_script_may_run(runs, tmp_path) -> None:
    found = page(tmp_path / "site", made(runs), runs)
    for tag in ("script", "style"):
        (text,) = found.texts[tag]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in found.policy
    assert found.policy.startswith("default-src 'none'") and "unsafe" not in found.policy
    for tag, attributes in found.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], (tag, attributes)
        for name in ("src", "href"):
            assert re.match(r"assets/|#", attributes.get(name) or "#"), (tag, attributes)


@pytest.mark.parametrize("verdict", [Verdict.REGRESSED, Verdict.INCOMPLETE])
def test_hostile_names_are_shown_and_do_nothing(rack, tmp_path, verdict) -> None:
    suite = rack.shelf(songs=(EVIL, "South"), prompt=f"a song {EVIL} with cello")
    runs = [load(rack.run(suite, name, BOTH, label=EVIL)) for name in ("ours", "changed")]
    evil = hostile(EVIL, verdict=verdict)
    values = evil.worst[0].values
    worst = tuple(pairs_of(runs, metric=EVIL, values=values))[:1]
    found = page(tmp_path / "site", evil.model_copy(update={"worst": worst, "best": ()}), runs)
    assert {tag for tag, _ in found.tags} <= {*TAGS, "rect"}
    assert len(found.all("script")) == 1
    for tag, attributes in found.tags:
        assert not [key for key in attributes if key.startswith("on")], (tag, attributes)
    html = (tmp_path / "site" / "index.html").read_text("utf-8")
    assert "<script>alert" not in html and "<img src=x" not in html and "\x1b" not in html and "\u202e" not in html


def test_what_was_not_made_or_is_damaged_is_told_in_its_place(runs, tmp_path) -> None:
    one, two = list(pairs_of(runs))[:2]
    damaged = runs[1].directory.audio_path(two.new_audio)
    damaged.write_bytes(b"not what it was")
    lost = one.model_copy(update={"base_audio": None})
    found = page(tmp_path / "site", comparison(worst=(lost, two), best=()), runs)
    problems = [text for text in found.texts["p"] if text.startswith(("Not made", "Cannot be"))]
    assert problems[0] == "Not made." and problems[1].startswith("Cannot be played: ")
    assert not [image for image in found.all("img") if image["alt"].startswith("Difference")]


def test_without_the_source_audio_both_edits_can_still_be_heard(runs, tmp_path) -> None:
    shutil.rmtree(tmp_path / "data-shelf")
    found = page(tmp_path / "site", comparison(worst=tuple(pairs_of(runs))[:1], best=()), runs)
    assert [player["aria-label"].split(":")[0] for player in found.all("audio")] == ["Base", "New"]
    assert "Its audio is not on the machine that made this page." in found.texts["p"]


def test_a_second_page_replaces_the_first_with_its_assets(runs, tmp_path) -> None:
    out = tmp_path / "site"
    write_page(made(runs), *runs, out)
    before = {path.name for path in (out / "assets").iterdir()}
    write_page(made(runs, worst=(), best=()), *runs, out)
    assert before and not list((out / "assets").iterdir())


def test_paths_of_the_machine_are_not_on_the_page(runs, tmp_path) -> None:
    found = made(runs, base=side(path=str(tmp_path / "ours")))
    page(tmp_path / "site", found, runs)
    assert str(tmp_path) not in (tmp_path / "site" / "index.html").read_text("utf-8")


@pytest.mark.parametrize(("direction", "worse"), [("higher", (0.0, 36.86)), ("lower", (63.14, 36.86))])
def test_the_shaded_part_of_a_plot_is_where_it_would_be_worse(direction, worse) -> None:
    plot = of_metric(metric(direction=direction))
    assert plot.worse == worse
    assert (plot.at, plot.low, plot.high) == (17.14, 4.0, 30.29)


def test_groups_of_a_breakdown_share_their_axis() -> None:
    apart = breakdown()
    wide = apart.groups[0].model_copy(update={"low": -0.4})
    apart = apart.model_copy(update={"groups": (wide, apart.groups[1])})
    plots = [of_group(group, apart, metric()) for group in apart.groups]
    assert plots[0].at == plots[1].at == 38.5
    assert plots[0].low == 4.0 and plots[1].low == 27.0
