"""A report's page in Chromium: it is drawn, opens, points, searches and turns dark, whatever nodes are called."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageStat
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

import gluon_neuron
from tests.nets import conv_net, images
from tests.pages.reports import HOSTILE, hostile, row
from tests.test_report import REPORT

PAINT = """
const done = arguments[0];
(function wait() {
  const found = performance.getEntriesByType('paint').map((p) => p.startTime);
  found.length ? done(Math.max(...found)) : setTimeout(wait, 10);
})()"""

OVERLAPS = """
const all = [...document.querySelectorAll('#graph .leaf > rect:first-of-type')].map((e) => e.getBoundingClientRect());
all.sort((a, b) => a.top - b.top);
let found = 0;
for (let i = 0; i < all.length; i++)
  for (let k = i + 1; k < all.length && all[k].top < all[i].bottom - .01; k++)
    if (all[i].left < all[k].right - .01 && all[k].left < all[i].right - .01) found++;
return found"""
WHERE = """
const s = document.getElementById('scroll'), g = document.getElementById('graph').getBoundingClientRect();
return (s.getBoundingClientRect().y + s.clientHeight / 2 - g.y) / g.height"""
INTRUDER = """
const s = document.createElement('script');
s.textContent = 'window.ran = 1';
document.body.append(s);
const b = document.createElement('b');
b.setAttribute('onclick', 'window.ran = 1');
document.body.append(b);
b.click();"""


def texts(page, css):
    return [e.text for e in page.find_elements(By.CSS_SELECTOR, css)]


def boxes(page, kind="leaf"):
    return page.find_elements(By.CSS_SELECTOR, f"#graph .{kind}")


def named(page, name):
    """The box whose first line is this."""
    return page.find_element(By.XPATH, f"//*[contains(@class,'box')][descendant::*[text()='{name}']][last()]")


def search(page, words):
    """Type the words, and say for how many milliseconds the page was busy with the last letter."""
    field = page.find_element(By.ID, "search")
    field.clear()
    field.send_keys(words[:-1])
    page.execute_script(
        "window.took = null; const f = document.getElementById('search'); let t;"
        "f.addEventListener('input', () => { t = performance.now(); }, { capture: true, once: true });"
        "f.addEventListener('input', () => { document.body.offsetHeight;"
        " requestAnimationFrame(() => setTimeout(() => { window.took = performance.now() - t; })); }, { once: true });"
    )
    field.send_keys(words[-1])
    return page.execute_async_script(
        "const done = arguments[0];"
        "(function wait() { window.took === null ? setTimeout(wait, 5) : done(window.took); })()"
    )


@pytest.fixture(scope="module")
def small():
    return gluon_neuron.compile(conv_net(prefix="n_"), images(), exclude_operators="Pooling").report


def test_a_small_graph_is_there_at_once(shown, small):
    page = shown(small)
    assert len(boxes(page)) == len(small.graph.nodes) + 1
    assert {"Convolution 3×3", "Pooling 2×2 /2 max", "Activation relu", "data"} <= set(texts(page, "#graph text.name"))
    assert {"1×8×16×16", "1×5"} <= set(texts(page, "#graph text.shape"))
    assert "conv0" in texts(page, "#graph text.sub") and "7 of 9 operators compiled" in texts(page, ".card span")
    # Every region has a colour of its own, and MXNet has another.
    fills = page.execute_script(
        "return [...document.querySelectorAll('#graph .group > .frame, #graph .mx > rect:first-of-type')]"
        ".map((e) => getComputedStyle(e).fill)"
    )
    assert len(fills) == 5 and len(set(fills)) == 4


def test_regions_open_and_close(shown, small):
    page = shown(small)
    before = len(boxes(page))
    toggle = page.find_element(By.CSS_SELECTOR, "#graph .group .toggle")
    assert toggle.get_attribute("aria-expanded") == "true"
    toggle.click()
    assert len(boxes(page)) == before - 3
    closed = page.switch_to.active_element
    assert closed.get_attribute("aria-expanded") == "false" and "3 operators" in closed.text
    closed.send_keys(Keys.ENTER)
    assert len(boxes(page)) == before
    page.find_element(By.ID, "do-close").click()
    assert len(boxes(page)) == 4 and len(boxes(page, "group")) == 3
    page.find_element(By.ID, "do-open").click()
    assert len(boxes(page)) == before


def test_hovering_tells_shapes_times_and_reasons(shown, small):
    page = shown(small, seconds={"n_pool0_fwd": 0.0015, "_neuron_subgraph_op0": 0.0045})
    ActionChains(page).move_to_element(named(page, "Pooling 2×2 /2 max")).perform()
    said = page.find_element(By.ID, "tip").text
    assert "n_pool0_fwd" in said and "excluded by the option exclude_operators" in said
    assert "1.50 ms, 25.0% of all" in said and "f32 1×8×8×8" in said and "pool_type\nmax" in said
    ActionChains(page).move_to_element(named(page, "Convolution 3×3")).perform()
    said = page.find_element(By.ID, "tip").text
    assert "compiled, in _neuron_subgraph_op0" in said and "n_conv0_weight, f32 8×3×3×3" in said
    assert len(page.find_elements(By.CSS_SELECTOR, "#graph .time")) == 2
    ActionChains(page).move_to_element(page.find_element(By.TAG_NAME, "h1")).perform()
    assert not page.find_element(By.ID, "tip").is_displayed()


def test_a_click_selects_and_leads_on(shown, small):
    page = shown(small)
    named(page, "Pooling 2×2 /2 max").click()
    details = page.find_element(By.ID, "details")
    assert "n_pool0_fwd" in details.text and "reads relu0" in details.text
    # From the operator before to the border of its region, from there, and so on.
    assert len(page.find_elements(By.CSS_SELECTOR, "#graph .edge.lit")) == 4
    details.find_element(By.XPATH, ".//button[text()='relu0']").click()
    assert "n_relu0_fwd" in details.text
    ActionChains(page).send_keys(Keys.ESCAPE).perform()
    assert not details.is_displayed() and not page.find_elements(By.CSS_SELECTOR, "#graph .selected")


def test_reasons_and_regions_of_the_overview_lead_to_the_graph(shown):
    page = shown(row(1000, 95))
    page.find_element(By.XPATH, "//button[@data-search][contains(.,'transpose')]").click()
    assert page.find_element(By.ID, "count").text == "1 of 10"
    assert "excluded" in page.find_element(By.ID, "details").text
    search_field = page.find_element(By.ID, "search")
    search_field.send_keys(Keys.ESCAPE)
    page.find_element(By.CSS_SELECTOR, "[data-region='4']").click()
    assert "95 operators" in page.find_element(By.ID, "details").text
    assert "region4" in page.find_element(By.CSS_SELECTOR, "#graph .selected").text


@pytest.mark.parametrize("compiled", [95, 0, 1000])
def test_a_thousand_operators_are_quick(shown, compiled):
    page = shown(row(1000, compiled))
    assert page.execute_async_script(PAINT) < 2000
    # The graph was drawn before that: its script is in the page, and it ran to its end.
    assert page.execute_script("return performance.timing.domInteractive - performance.timing.navigationStart") < 2000
    assert 3 <= len(boxes(page)) + len(boxes(page, "group")) <= 150
    # The machine may have other work at one of these moments.
    took = [search(page, words) for words in ("excluded", "64×56", "net0_convolution6")]
    assert min(took) < 100, took
    assert page.find_element(By.ID, "count").text == f"{sum(str(i).startswith('6') for i in range(0, 1000, 6))} of 1002"
    assert page.find_elements(By.CSS_SELECTOR, "#graph .found")
    page.find_element(By.ID, "search").send_keys(Keys.ENTER, Keys.ENTER)
    assert "net0_convolution60_fwd" in page.find_element(By.ID, "details").text
    # It was in a closed stage, which is open now, and the operator is in the middle of the window.
    middle = page.execute_script(
        "const [a, b] = ['.leaf.selected', '#scroll'].map((s) => document.querySelector(s).getBoundingClientRect());"
        "return [(a.x + a.width / 2 - b.x) / b.width, (a.y + a.height / 2 - b.y) / b.height]"
    )
    assert all(0.2 < place < 0.8 for place in middle)


def test_everything_can_be_opened(shown):
    page = shown(row(1000, 95))
    page.find_element(By.ID, "do-open").click()
    assert len(boxes(page)) == 1002
    page.find_element(By.ID, "do-fit").click()
    beyond = "const s = document.getElementById('scroll'); return s.scrollHeight - s.clientHeight"
    assert page.execute_script(beyond) < 60
    apart = page.execute_script(OVERLAPS)
    assert apart == 0, "boxes lie on each other"


def test_dense_graphs_are_drawn(shown):
    page = shown(row(200, 0, dense=True))
    page.find_element(By.ID, "do-open").click()
    assert len(boxes(page)) == 202
    # Not every link is led around boxes: some would take too long.
    assert page.find_elements(By.CSS_SELECTOR, "#graph .edge.far")


def test_names_do_no_harm(shown):
    page = shown(hostile())
    assert page.title.startswith("gluon_neuron report: 7 operators for <img src=x")
    assert not page.find_elements(By.ID, "injected") and not page.find_elements(By.CSS_SELECTOR, "img, svg b")
    for words in ("img", "script", "{{data}}", "U+202E"):
        search(page, words)
        page.find_element(By.ID, "search").send_keys(Keys.ENTER)
        assert page.find_element(By.ID, "details").is_displayed(), words
        ActionChains(page).move_to_element(page.find_element(By.CSS_SELECTOR, "#graph .leaf.selected")).perform()
    assert page.title != "taken" and not page.find_elements(By.ID, "injected")
    assert HOSTILE[2] in page.find_element(By.ID, "overview").get_attribute("textContent")


def test_nothing_but_its_own_scripts_runs(shown):
    page = shown(row(10))
    page.execute_script(INTRUDER)
    assert page.execute_script("return window.ran") is None
    refused = [e["message"] for e in page.get_log("browser")]
    assert len(refused) == 2 and all("Content Security Policy" in m for m in refused)


def test_a_report_of_an_earlier_release(shown):
    page = shown(REPORT)
    assert "made by an earlier release" in page.find_element(By.CSS_SELECTOR, ".empty").text
    assert "region0" in page.find_element(By.ID, "overview").text


def brightness(page):
    with Image.open(io.BytesIO(page.get_screenshot_as_png())) as picture:
        return ImageStat.Stat(picture.convert("L")).mean[0]


def test_light_and_dark(shown, small):
    assert brightness(shown(small)) > 200
    page = shown(small, dark=True)
    assert brightness(page) < 60
    theme = page.find_element(By.ID, "theme")
    theme.click()
    assert "Light" in theme.text and brightness(page) > 200
    page.refresh()
    assert brightness(page) > 200, "the choice is kept"
    page.find_element(By.ID, "theme").click()
    assert brightness(page) < 60


@pytest.mark.parametrize("width", [360, 700, 1000])
def test_a_narrow_window(shown, width):
    page = shown(row(1000, 95), width=width, height=800)
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    assert page.find_element(By.ID, "graph").is_displayed() and boxes(page)
    search(page, "transpose95")
    page.find_element(By.ID, "search").send_keys(Keys.ENTER)
    place = page.execute_script(
        "return document.querySelector('#graph .leaf.selected').getBoundingClientRect().toJSON()"
    )
    assert place["left"] >= 0 and place["right"] <= width and place["top"] >= 0 and place["bottom"] <= 800


def test_zoom_stays_where_it_is(shown):
    page = shown(row(1000, 95))
    page.execute_script("document.getElementById('scroll').scrollTop = 1500")
    before = page.execute_script(WHERE)
    for _ in range(3):
        page.find_element(By.ID, "do-in").click()
    assert page.find_element(By.ID, "percent").text == "195%"
    assert page.execute_script(WHERE) == pytest.approx(before, abs=0.01)
