"""Problem documents (RFC 9457): every error in both languages, with the field, the rule, and what to do."""

import logging
from typing import Any

import orjson
from flask import Flask, Response, request
from nameko.exceptions import RemoteError
from werkzeug.exceptions import HTTPException

from shared.bus.calls import NoAnswer, Refused
from shared.kernel.errors import NotEntitled, Refusal
from shared.runtime.callers import NotForThisRole

log = logging.getLogger(__name__)

TYPE = "application/problem+json"

_STATUS = {
    "InvalidInput": 422,
    "IdempotencyKeyMissing": 422,
    "IdempotencyKeyNotTaken": 422,
    "UnknownCommand": 404,
    "NotThere": 404,
    "NotLoggedIn": 401,
    "WrongLogin": 401,
    "NotLinked": 401,
    "TokenExpired": 401,
    "TokenInvalid": 401,
    "NotForThisRole": 403,
    "ForgedRequest": 403,
    "LoginLocked": 429,
    "TooManyRequests": 429,
    "Busy": 503,
    "Interrupted": 503,
    "Unavailable": 503,
    "ServiceSilent": 503,
    "ProviderSilent": 503,
    "TooManyStreams": 503,
}
_REFUSED = 409  # whatever a rule of the domain does not allow now
_AGAIN = 2  # seconds after which what is busy or away may be asked again


class NotThere(Refusal):
    """没有找到；请核对地址和编号。

    There is nothing at this address; check the address and the id in it.
    """


class MethodNotAllowed(Refusal):
    """该地址不支持此方法；允许的方法见 Allow 响应头。

    This address does not know this method; the header Allow lists those that it knows.
    """


class NotUnderstood(Refusal):
    """请求格式有误；请检查后重新提交。

    The request is malformed; correct it and send it again.
    """


class TooLarge(Refusal):
    """请求内容过大；请减小后重新提交。

    The request is too large; send less at once.
    """


class NotJson(Refusal):
    """请求内容不是 JSON；请以 application/json 提交。

    The content is not application/json; send it as that, and say so in Content-Type.
    """


class TooManyRequests(Refusal):
    """请求过于频繁；请按 Retry-After 稍后再试。

    Too many requests; try again after the seconds that Retry-After says.
    """

    def __init__(self, retry_after: int = 60) -> None:
        self.retry_after = retry_after
        super().__init__()

    def problem(self) -> dict[str, Any]:
        return {**super().problem(), "retry_after": self.retry_after}


class ServiceSilent(Refusal):
    """服务暂时没有响应；请稍后用同一 Idempotency-Key 重试。

    The service does not answer now; try again shortly, with the same Idempotency-Key.
    """


class NotLoggedIn(Refusal):
    """尚未登录；请先登录。

    Nobody is logged in; send an access token in the header Authorization, as Bearer.
    """

    field = "Authorization"


class Broken(Refusal):
    """服务出错，已记录；请稍后重试，仍不行请联系管理员。

    Something broke, and was logged; try again later, and tell the administrator if it does not help.
    """


_OF_HTTP: dict[int, type[Refusal]] = {
    400: NotUnderstood,
    401: NotLoggedIn,
    403: NotForThisRole,
    404: NotThere,
    405: MethodNotAllowed,
    413: TooLarge,
    414: TooLarge,
    415: NotJson,
    429: TooManyRequests,
    431: TooLarge,
}


def register(app: Flask) -> None:
    """From here on every error of the application is a problem document."""
    app.register_error_handler(Refused, lambda error: answer(error.problem))
    app.register_error_handler(Refusal, of_refusal)
    app.register_error_handler(NoAnswer, lambda _: answer(ServiceSilent().problem()))
    app.register_error_handler(HTTPException, of_http)
    app.register_error_handler(Exception, _broken)


def status_of(problem: dict[str, Any]) -> int:
    """The status that goes with a problem as it crosses the bus."""
    code = problem["code"]
    return _STATUS.get(code) or (403 if code in _names(NotEntitled) else _REFUSED)


def _names(kind: type[Refusal]) -> set[str]:
    """The codes of a refusal and of all kinds of it that the services have."""
    return {kind.__name__}.union(*map(_names, kind.__subclasses__()))


def answer(problem: dict[str, Any], status: int | None = None) -> Response:
    """The response for a problem as it crosses the bus, `{code, field, rule, zh, en}`."""
    status = status or status_of(problem)
    response = Response(orjson.dumps(document(problem, status)), status, content_type=TYPE)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if status in (429, 503):
        response.headers["Retry-After"] = str(problem.get("retry_after") or _AGAIN)
    return response


def document(problem: dict[str, Any], status: int) -> dict[str, Any]:
    """`{type, title, status, detail, code, field, rule, zh, en}`; title and detail as the caller reads."""
    detail = problem["en"] if _reads_english() else problem["zh"]
    return {
        "type": f"urn:jianding:problem:{problem['code']}",
        "title": problem["code"],
        "status": status,
        "detail": detail,
        **problem,
    }


def _reads_english() -> bool:
    return request.accept_languages.best_match(("zh", "en"), "zh") == "en"


def refusal_of(status: int) -> Refusal:
    """What a status of HTTP means to whoever asked."""
    return _OF_HTTP.get(status, Broken if status >= 500 else NotUnderstood)()


def of_refusal(error: Refusal) -> Response:
    """For what is refused here."""
    return answer(error.problem())


def of_http(error: HTTPException) -> Response:
    """For what Flask itself refuses."""
    status = error.code or 500
    if status < 400:
        return error.get_response()  # type: ignore[return-value]
    response = answer(refusal_of(status).problem(), status)
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value
    return response


def _broken(error: Exception) -> Response:
    if isinstance(error, RemoteError):  # the service has logged it, and its message may name somebody
        log.error("a service failed over %s: %s", request.endpoint, error.exc_type)
    else:
        log.exception("%s failed", request.endpoint)
    return answer(Broken().problem(), 500)
