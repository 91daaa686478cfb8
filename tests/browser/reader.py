"""Somebody at a browser: what he does, and what a page must never show."""

import re
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from playwright.sync_api import ConsoleMessage, Locator, Page, Response

_AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
_RULES = """
async () => (await axe.run(document, {
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], resultTypes: ["violations"]
})).violations.filter(found => ["serious", "critical"].includes(found.impact))
   .map(found => found.id + ": " + found.nodes.map(node => node.html.slice(0, 160)).join(" | "))
"""
_WORDS = (
    "th, label, main button, dt, nav a, nav h2, figcaption, summary, h3, .hint, .about, .state, .empty,"
    " .verdict, svg .marked, .steps span"
)
_HAN = re.compile(r"[\u4e00-\u9fff]")
LARGEST = 300_000  # bytes of a page with all that it loads


@dataclass
class Reader:
    """A page, and everything that went wrong on it."""

    page: Page
    screenshots: Path
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.wrong.append(f"{self.page.url}: {error}"))
        self.page.on("response", self._see)

    def log_in(self, role: str) -> None:
        """By the demo's login of the role."""
        self.page.goto("/login")
        self.page.click(f"#demo-{role}")
        self.page.wait_for_url("**/")

    def open(self, path: str) -> None:
        self.page.goto(path)

    def read_in(self, language: str) -> None:
        """Pages are in this language from now on."""
        cookie = {"name": "jianding_language", "value": language, "url": self.page.url}
        self.page.context.add_cookies([cookie])  # type: ignore[list-item]

    def tab_to(self, target: Locator) -> None:
        """By keyboard alone."""
        for _ in range(200):
            self.page.keyboard.press("Tab")
            if target.evaluate("each => each === document.activeElement"):
                return
        raise AssertionError(f"{self.page.url}: no key leads to {target}")

    def fill(self, **fields: str) -> None:
        """Fields of the page's form by name."""
        for name, value in fields.items():
            control = self.page.locator(f"[name={name}]:visible").first
            if control.evaluate("each => each.tagName") == "SELECT":
                control.select_option(value)
            else:
                control.fill(value)

    def press(self, button: str) -> None:
        """The first button with these words; waits for the page that follows."""
        with self.page.expect_navigation():
            self.page.locator("main").get_by_role("button", name=button, exact=True).first.click()

    def told(self) -> str:
        """What the page says about what was done; fails with its problem."""
        problems = self.page.locator("main .problem").all_inner_texts()
        assert problems == []
        return self.page.locator("main .done").inner_text()

    def row(self, text: str) -> Locator:
        return self.page.locator("main tr", has_text=text)

    def keep(self, name: str) -> None:
        """A picture of the whole page."""
        self.screenshots.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=self.screenshots / f"{name}.png", full_page=True)

    def obstacles(self) -> list[str]:
        """What axe-core finds serious or critical."""
        self.page.evaluate(_AXE)
        found: list[str] = self.page.evaluate(_RULES)
        return found

    def chinese(self) -> list[str]:
        """Words of our own that are Chinese on an English page; what people called something may be."""
        found: list[str] = self.page.locator(_WORDS).evaluate_all("all => all.map(each => each.textContent)")
        return [text for text in found if _HAN.search(text)]

    def weight(self) -> int:
        """Bytes of the page and of everything that it loads."""
        script = "() => performance.getEntries().reduce((sum, each) => sum + (each.decodedBodySize || 0), 0)"
        return int(self.page.evaluate(script))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.wrong.append(f"{self.page.url}: {message.text}")

    def _see(self, response: Response) -> None:
        if response.status >= 500:
            self.wrong.append(f"{response.url}: {response.status}")
