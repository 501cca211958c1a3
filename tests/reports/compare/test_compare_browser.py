"""The page in a real browser, where there is one."""

from __future__ import annotations

import browser
import pytest
from made_comparison import comparison, pair

from reports.compare.html import write_page
from reports.load import load

CHROMIUM = browser.executable()
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]


@pytest.fixture
def opened(rack, tmp_path, monkeypatch):
    """The page with one pair, opened. Its clips have three seconds: in one of a second Chromium cannot seek."""
    # Not by the name of its module: every folder of tests has a `conftest`.
    made = type(rack).run.__globals__
    monkeypatch.setitem(made, "SECONDS", 3.0)
    monkeypatch.setitem(made["tone"].__kwdefaults__, "seconds", 3.0)
    suite = rack.shelf(songs=("North",), edits=1)
    runs = [load(rack.run(suite, name, {"cqt1-pcc": 0.5, "dpd-pesto-cents": 50.0})) for name in ("ours", "changed")]
    (item,) = runs[0].plan
    base, new = (run.outcomes[item.key].audio for run in runs)
    worst = (pair(0, task=item.task, stem="bass", base_audio=base, new_audio=new),)
    page = write_page(comparison(worst=worst, best=()), *runs, tmp_path / "site")
    with browser.tab(CHROMIUM, tmp_path / "profile") as tab:
        tab.open(page)
        yield tab


def test_switching_between_base_and_new_keeps_the_place(opened) -> None:
    opened.value("window.players = [...document.querySelectorAll('audio')]; players.length")
    opened.value("document.querySelector('.loop').click()")
    opened.press("1")
    opened.wait_for("!players[0].paused && players[0].currentTime > 0.3")
    opened.press("2")
    opened.wait_for("!players[1].paused && players[0].paused")
    assert opened.value("players[1].currentTime") >= 0.3
    opened.wait_for("document.querySelector('.card.playing h4')?.textContent.trim().startsWith('New')")
    opened.press("x")
    opened.wait_for("!players[0].paused && players[1].paused")
    opened.press("0")
    opened.wait_for("players.every((each) => each.paused)")
    # The picture of the difference has no player: a click in it moves the one heard last, and starts it.
    opened.value("""(() => {
      const box = document.querySelector('.contrast .picture').getBoundingClientRect();
      const click = new MouseEvent('click', {clientX: box.left + box.width / 2, clientY: box.top});
      document.querySelector('.contrast .picture').dispatchEvent(click);
    })()""")
    opened.wait_for("!players[0].paused && players[0].currentTime >= 1.5")
    assert opened.errors == []
    # data: is what the browser draws its own controls with.
    assert len(opened.requests) > 5 and all(each.startswith(("file://", "data:")) for each in opened.requests)


def test_nothing_is_wider_than_a_phone(opened) -> None:
    opened._call("Emulation.setDeviceMetricsOverride", width=360, height=700, deviceScaleFactor=2, mobile=True)
    assert opened.value("document.documentElement.scrollWidth") <= 360
    assert opened.value("[...document.images].every((each) => each.alt)")
    assert opened.errors == []
