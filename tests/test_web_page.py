"""The web chat in a real browser: right to left, phone-sized, quiet, accessible, nothing kept."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import axe_core_python
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from content.languages import Languages
from content.speaker import Speaker
from settings import ROOT
from tests.conftest import System

LANGUAGES = Languages.load(ROOT / "content" / "languages.yml")
AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
_PATIENCE_MS = 20_000
QUESTIONS = {
    "ar": "وين الدكتور",
    "fa": "دکتر کجاست",
    "ps": "ډاکټر چېرته دی",
    "ur": "ڈاکٹر کہاں ہے",
    "en": "where is doctor",
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.fail("these tests drive Chromium: apt install chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser, system: System) -> Iterator[Page]:
    """A fresh phone of 360 px; any error of the page or request to elsewhere fails the test."""
    context = browser.new_context(viewport={"width": 360, "height": 740}, has_touch=True)
    opened = context.new_page()
    troubles: list[str] = []
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
    opened.on("request", lambda sent: troubles.append(sent.url) if not _ours(sent.url, system.url) else None)
    yield opened
    context.close()
    assert troubles == []


def _ours(url: str, base: str) -> bool:
    return url.startswith((base, "data:"))


def open_page(page: Page, system: System, language: str) -> None:
    page.goto(f"{system.url}/?lang={language}")


def ask(page: Page, text: str) -> None:
    """Type and send, and wait for an answer to show."""
    shown = page.locator("[role=log] [lang]").count()
    page.fill("#text", text)
    page.keyboard.press("Enter")
    page.wait_for_function(
        "count => document.querySelectorAll('[role=log] [lang]').length > count + 1", arg=shown, timeout=_PATIENCE_MS
    )


@pytest.mark.parametrize("language", LANGUAGES.codes)
def test_a_question_is_answered_in_its_direction(language: str, page: Page, system: System, speaker: Speaker) -> None:
    open_page(page, system, language)
    assert page.locator("html").get_attribute("dir") == LANGUAGES[language].direction
    assert page.locator("html").get_attribute("lang") == language
    ask(page, QUESTIONS[language])
    answer = speaker.answer("services_doctor", language).text.split("\n")[0][:30]
    said = page.locator("[role=log]").inner_text().replace("\u2068", "").replace("\u2069", "")
    assert answer in said


@pytest.mark.parametrize("language", LANGUAGES.codes)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(language: str, scheme: Any, page: Page, system: System) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    open_page(page, system, language)
    ask(page, QUESTIONS[language])
    page.evaluate(AXE)
    found = page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']})"
    )
    assert [(v["id"], [n["target"] for n in v["nodes"]]) for v in found["violations"]] == []


@pytest.mark.parametrize("language", LANGUAGES.codes)
@pytest.mark.parametrize("width", [320, 360])
def test_nothing_runs_off_a_narrow_screen(language: str, width: int, page: Page, system: System) -> None:
    page.set_viewport_size({"width": width, "height": 640})
    open_page(page, system, language)
    ask(page, QUESTIONS[language])
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_nothing_is_kept_in_the_browser(page: Page, system: System) -> None:
    open_page(page, system, "en")
    ask(page, "where is doctor")
    kept = page.evaluate("[localStorage.length, sessionStorage.length, document.cookie.length, history.length]")
    assert kept[:3] == [0, 0, 0]
    assert page.context.cookies() == []
    page.reload()
    assert "doctor" not in page.locator("[role=log]").inner_text()


def test_the_whole_page_is_small(page: Page, system: System) -> None:
    sizes: list[int] = []
    page.on("response", lambda got: sizes.append(len(got.body())))
    open_page(page, system, "ur")
    page.wait_for_load_state("load")
    assert sum(sizes) < 45_000


def test_quick_exit_clears_the_page_at_once(browser: Browser, system: System) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740})
    try:
        page = context.new_page()
        page.route("https://www.wikipedia.org/**", lambda route: route.fulfill(body="<title>W</title>"))
        open_page(page, system, "fa")
        ask(page, QUESTIONS["fa"])
        page.click("#leave")
        page.wait_for_url("https://www.wikipedia.org/**")
        page.go_back()
        assert not page.url.startswith(system.url)
    finally:
        context.close()


def test_danger_is_an_alert_with_numbers_to_tap(page: Page, system: System) -> None:
    open_page(page, system, "en")
    ask(page, "a mine exploded my friend is bleeding")
    alert = page.locator("[role=log] [role=alert]").last
    assert alert.locator("a[href='tel:121']").count() >= 1
    assert alert.locator("a[href='tel:124']").count() >= 1


def test_without_javascript_the_numbers_are_there(browser: Browser, system: System) -> None:
    context = browser.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        open_page(page, system, "ar")
        text = page.locator("body").inner_text()
        assert all(number in text for number in ("124", "122", "121"))
    finally:
        context.close()
