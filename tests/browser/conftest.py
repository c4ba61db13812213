"""Gives the tests Chromium, Debian's own with its own driver: nothing is downloaded, and without it they fail."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from gluon_neuron.report import Report

# The last has no page fetch anything by a name, so that what would be loaded fails and is in the log.
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--window-size=1400,900", "--force-device-scale-factor=1", "--host-resolver-rules=MAP * ~NOTFOUND"),
)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """The browser."""
    found = {name: shutil.which(name) for name in ("chromium", "chromedriver")}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        pytest.fail(f"{' and '.join(missing)} must be on the PATH: `make browser` installs them on Debian.")
    options = webdriver.ChromeOptions()
    options.binary_location = found["chromium"]
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(found["chromedriver"]))
    yield driver
    driver.quit()


Shown = Callable[..., webdriver.Chrome]


@pytest.fixture
def shown(chromium: webdriver.Chrome, tmp_path: Path) -> Iterator[Shown]:
    """Saves a report and opens the page; afterwards the browser has complained of nothing, and gone nowhere else."""
    path = tmp_path / "report.html"

    def show(report: Report, *, dark: bool = False, width: int = 1400, height: int = 900, **given) -> webdriver.Chrome:
        report.save(path, **given)
        media = {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]}
        chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        chromium.get(path.as_uri())
        chromium.execute_script("localStorage.clear()")
        return chromium

    chromium.get_log("browser")
    yield show
    assert chromium.get_log("browser") == []
    assert chromium.current_url == path.as_uri()
    loaded = "return performance.getEntriesByType('resource').map((r) => r.name)"
    assert chromium.execute_script(loaded) == []
