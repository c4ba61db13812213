"""Makes docs/report.png, the picture of a report's page in the README: `python -m docs.report_picture docs/report.png`.

It needs Chromium and its driver, as `make browser` installs them, and is made again when the page looks different.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from pathlib import Path

import mxnet as mx
from gluoncv.model_zoo import get_model
from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

import gluon_neuron

MODEL, SIZE = "faster_rcnn_resnet50_v1b_voc", 512
WINDOW = (1280, 820)


def page(path: Path) -> None:
    """Save the page of a detector, whose regions MXNet's suppression of boxes parts."""
    net = get_model(MODEL, pretrained=False, pretrained_base=False)
    net.initialize()
    gluon_neuron.analyze(net, mx.nd.zeros((1, 3, SIZE, SIZE))).save(path)


def picture(path: Path) -> bytes:
    """The page in a browser, with its regions closed and what parts them selected, as a small PNG."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1"):
        options.add_argument(flag)
    browser = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        metrics = {"width": WINDOW[0], "height": WINDOW[1], "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        browser.get(path.as_uri())
        browser.find_element(By.ID, "do-close").click()
        browser.find_element(By.CSS_SELECTOR, "#graph .leaf.mx").click()
        browser.execute_script("document.getElementById('tip').hidden = true")
        shot = browser.get_screenshot_as_png()
    finally:
        browser.quit()
    small = io.BytesIO()
    with Image.open(io.BytesIO(shot)) as whole:
        whole.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


def main(output: str) -> None:
    """Write the picture."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "report.html")
        page(path)
        Path(output).write_bytes(picture(path))


if __name__ == "__main__":
    main(sys.argv[1])
