"""The tables in a real browser, where there is one."""

from __future__ import annotations

import browser
import pytest

from reports.leaderboard.site import build

CHROMIUM = browser.executable()
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]

NAMES = (
    "[...document.querySelectorAll('table.sortable tbody:first-of-type tr:not([hidden]) th a')].map(a => a.textContent)"
)
HEADS = "[...document.querySelectorAll('thead th')].map(th => th.getAttribute('aria-sort'))"


@pytest.fixture
def opened(board, tmp_path):
    build([board.store], tmp_path / "site")
    with browser.tab(CHROMIUM, tmp_path / "profile") as tab:
        tab.open(tmp_path / "site" / "index.html")
        tab.site = tmp_path / "site"
        yield tab


def test_tables_sort_and_filter_by_keyboard(opened) -> None:
    first = opened.value(NAMES)
    assert first[0] == "Loom 1.2" and len(first) == 3
    opened.value("document.querySelectorAll('thead button')[3].focus()")
    opened.press("\r")
    opened.wait_for(f"{HEADS}[3] === 'ascending'")
    assert opened.value(NAMES)[2] == "Loom 1.2"
    opened.value("document.querySelectorAll('thead button')[0].click()")
    assert opened.value(HEADS) == ["ascending", None, None, None, None]
    assert opened.value(NAMES) == ["Loom 1.2", "Warp 1.2", "Weft 2"]
    # Controls and what has no rank stay below, whatever the order.
    assert opened.value("document.querySelectorAll('tbody')[1].rows[1].cells[0].textContent.trim()") == "copy-source"
    assert opened.value("getComputedStyle(document.querySelector('thead button')).cursor") == "pointer"
    opened.value("window.field = document.querySelector('.filters input'); field.value = 'we'")
    opened.value("field.dispatchEvent(new Event('input'))")
    assert opened.value(NAMES) == ["Weft 2"]
    assert opened.value("document.querySelector('[role=status]').textContent") == "1 of 3 entries shown"
    opened.value("field.value = ''; window.least = document.querySelector('.filters select'); least.value = 'scored'")
    opened.value("least.dispatchEvent(new Event('change'))")
    assert opened.value(NAMES) == []
    assert opened.errors == []
    assert opened.requests and all(address.startswith("file://") for address in opened.requests)


def test_every_page_opens_without_error_and_fits_a_phone(opened) -> None:
    opened._call("Emulation.setDeviceMetricsOverride", width=360, height=700, deviceScaleFactor=2, mobile=True)
    for path in sorted(opened.site.rglob("*.html")):
        opened.open(path)
        opened.wait_for(f"location.pathname.endsWith({str(path.relative_to(opened.site))!r})")
        assert opened.value("document.documentElement.scrollWidth") <= 360, path.name
        unnamed = (
            "[...document.querySelectorAll('a, button, input, select, [role=region]')].filter(each =>"
            " !(each.textContent.trim() || each.labels?.length || each.getAttribute('aria-labelledby'))).length"
        )
        assert opened.value(unnamed) == 0, path.name
    assert opened.errors == []
    assert all(address.startswith("file://") for address in opened.requests)
