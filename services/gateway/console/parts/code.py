"""The QR code of a certificate: it leads to the public check, at the address that the public knows."""

import segno
from flask import current_app, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup


def code(number: str) -> Markup:
    """As SVG. Where JIANDING_PUBLIC says no address, it is the one by which this page was asked for."""
    address: str = current_app.extensions["jianding.public"] or request.host_url.rstrip("/")
    found = address + url_for("console.public_check", number=number)
    drawn = segno.make(found, error="m").svg_inline(scale=3, omitsize=True, title=_("核验二维码"))
    return Markup(drawn)  # noqa: S704  segno escapes; the number has been found
