"""Chinese and English: catalogues are kept as text, and compiled in memory when the console is made."""

from datetime import datetime
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, request
from flask_babel import Babel, Domain, get_locale

from shared.kernel.clock import moment

COOKIE = "jianding_language"
LANGUAGES = {"zh": "中文", "en": "English"}
ZONE = "Asia/Shanghai"


class _Catalogues(Domain):  # type: ignore[misc]
    """Messages are Chinese themselves; a catalogue says each of them in another language."""

    def get_translations(self) -> Any:
        locale = get_locale()
        return catalogue(locale.language if locale else "zh")


class _Languages(Babel):  # type: ignore[misc]
    """Flask-Babel over our catalogues."""

    @property
    def domain_instance(self) -> Domain:
        return _Catalogues()


@cache
def catalogue(language: str) -> NullTranslations:
    """The compiled catalogue of a language."""
    text = files(__package__).joinpath(f"catalogues/{language}.po")
    if language not in LANGUAGES or not text.is_file():
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(text.read_bytes()), locale=language))
    compiled.seek(0)
    return Translations(compiled)


def speak(app: Flask) -> None:
    """Lets the app answer in the language that its reader chose."""
    _Languages(app, default_locale="zh", default_timezone=ZONE, locale_selector=chosen)
    app.jinja_env.filters |= {"moment": shown, "day": day, "clock": clock}


def chosen() -> str:
    """Chinese, unless the reader has chosen otherwise."""
    wanted = request.cookies.get(COOKIE, "zh")
    return wanted if wanted in LANGUAGES else "zh"


def english() -> bool:
    return str(get_locale() or "zh") == "en"


def shown(stamp: str) -> str:
    """A stamp as the clocks of China show it, to the second; the whole if it is none."""
    return _in_china(stamp, "%Y-%m-%d %H:%M:%S")


def day(stamp: str) -> str:
    return _in_china(stamp, "%Y-%m-%d %H:%M")


def clock(stamp: str) -> str:
    return _in_china(stamp, "%H:%M:%S")


def _in_china(stamp: str, form: str) -> str:
    try:
        found: datetime = moment(stamp)
    except ValueError:
        return stamp
    return found.astimezone(ZoneInfo(ZONE)).strftime(form)
