"""A person at a real Chromium without a window."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    NoSuchElementException,
    StaleElementReferenceException,
    TimeoutException,
)
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

PHONE = (360, 740)
DESK = (1200, 900)
WITHIN = 180.0  # seconds for a page to show what it should
PASSES = (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    NoSuchElementException,
    StaleElementReferenceException,
)
"""What comes while a page puts a fresh part in the place of another, and passes."""
FLAGS = (
    "--headless=new",
    "--no-sandbox",  # Chromium's own cannot be had as root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-prefers-reduced-motion",
)


class Page:
    """What somebody sees and does in a browser, by the words on the page."""

    def __init__(self, driver: webdriver.Chrome, url: str) -> None:
        self.driver, self.url = driver, url

    def open(self, path: str = "/console") -> None:
        self.driver.get(self.url + path)

    def size(self, width: int, height: int) -> None:
        """Make the page itself so large, whatever the window's least size is."""
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )

    def scheme(self, name: str) -> None:
        """Prefer `light` or `dark`."""
        features = [{"name": "prefers-color-scheme", "value": name}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def leave(self) -> list[str]:
        """Leave the page, which would go on asking; return what the browser complained of."""
        self.driver.get("about:blank")
        return self.complaints()

    def forget(self) -> None:
        """Forget every cookie."""
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})

    def log_in(self, key: str) -> None:
        self.open()
        self.type("API key", key)
        self.press("Log in")
        self.until(lambda: self.sees("Log out"), "logged in")

    def type(self, label: str, text: str) -> None:
        """Type into the field of a label."""
        self.until(lambda: self._typed(label, text), label)

    def _typed(self, label: str, text: str) -> bool:
        self.field(label).send_keys(text)
        return True

    def tick(self, selector: str) -> None:
        """Tick a box, or choose one of several."""
        self.until(lambda: self._ticked(selector), selector)

    def _ticked(self, selector: str) -> bool:
        """Tick it unless it is; return whether it is ticked."""
        box = self.driver.find_element(By.CSS_SELECTOR, selector)
        if not box.is_selected():
            box.click()
        return box.is_selected()

    def field(self, label: str) -> WebElement:
        found = self.driver.find_element(
            By.XPATH, f"//label[starts-with(normalize-space(.), '{label}')]"
        )
        named = found.get_attribute("for")
        if named:
            return self.driver.find_element(By.ID, named)
        return found.find_element(By.CSS_SELECTOR, "input, select")

    def press(self, words: str) -> None:
        """Press the button, link or summary that begins with these words."""
        self.until(lambda: self._pressed(words), words)

    def _pressed(self, words: str) -> bool:
        """Press it if it is there; return whether it is."""
        for each in self._pressable(words)[:1]:
            each.click()
            return True
        return False

    def _pressable(self, words: str) -> list[WebElement]:
        found = self.driver.find_elements(
            By.XPATH,
            "//*[self::button or self::a or self::summary]"
            f"[starts-with(normalize-space(.), '{words}')]",
        )
        return [each for each in found if each.is_displayed()]

    def text(self) -> str:
        """Return what the page says: nothing while the next one has not begun."""
        return str(self.driver.execute_script("return document.body?.innerText ?? ''"))

    def sees(self, words: str) -> bool:
        return words in self.text()

    def until_sees(self, words: str, within: float = WITHIN) -> None:
        self.until(lambda: self.sees(words), words, within)

    def until(self, look: Callable[[], Any], what: str, within: float = WITHIN) -> None:
        def safely(_: object) -> Any:
            return look()

        try:
            WebDriverWait(self.driver, within, 0.1, PASSES).until(safely)
        except TimeoutException:
            raise AssertionError(f"not within {within:g} s: {what}\n{self.text()}") from None

    def keys(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def tab_to(self, words: str, most: int = 60) -> None:
        """Move on by the tab key until what has the focus begins with these words."""
        for _ in range(most):
            self.keys(Keys.TAB)
            if self.focused().startswith(words):
                return
        raise AssertionError(f"the tab key never comes to {words!r}")

    def focused(self) -> str:
        """Return the words of what has the focus."""
        return str(
            self.driver.execute_script(
                "const e = document.activeElement;"
                "return (e.labels?.[0]?.innerText || e.ariaLabel || e.innerText || '').trim()"
            )
        )

    def width(self) -> int:
        """Return how wide the page is, with what sticks out of it."""
        return int(self.driver.execute_script("return document.documentElement.scrollWidth"))

    def complaints(self) -> list[str]:
        """Return what the browser's console holds since the last look: violations, failures."""
        found = self.driver.get_log("browser")
        return [str(entry["message"]) for entry in found if entry["level"] != "INFO"]


@contextmanager
def chromium(url: str, profile: Path) -> Iterator[Page]:
    """Run a browser with a profile of its own, and stop it."""
    options = webdriver.ChromeOptions()
    options.binary_location = _found("chromium")
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(_found("chromedriver")))
    try:
        yield Page(driver, url)
    finally:
        driver.quit()


def _found(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise AssertionError(f"{program} is not installed: .ci/browser does that")
    return path
