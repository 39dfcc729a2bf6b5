"""Who may talk to the review page: this very page in a browser that knows the token.

Any web page that a person visits can send requests to 127.0.0.1, and a name that its owner lets
point there (DNS rebinding) makes them look like the page's own. Against both: the ``Host`` header
must be this address, an ``Origin`` must be this page's (and be there, where something is changed),
and the token of this start must come along, in the address of the first request and from then on in
a cookie that no script reads and no other site causes to be sent.
"""

from __future__ import annotations

import hmac
import secrets
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN_BYTES = 32
_READING = ("GET", "HEAD")
_OWN_SITE = ("same-origin", "none")

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        # No string ever becomes markup, whatever the page's code does.
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Of every answer."""


def new_token() -> str:
    """Return a token that cannot be guessed."""
    return secrets.token_urlsafe(TOKEN_BYTES)


class Guard:
    """ASGI middleware that lets through what the module's docstring says.

    Args:
        app: The application behind it.
        token: Of this start.
        port: That the server listens on.
    """

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self._app = app
        self._token = token
        self._cookie = f"beatgrid-review-{port}"  # cookies do not tell ports apart
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, refuse or pass on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # a websocket: there is none, and not to answer closes it

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                if first:
                    headers.append("Set-Cookie", self._set_cookie())
            await send(message)

        headers = Headers(scope=scope)
        first = False
        refusal = self._refusal(scope["method"], headers)
        if refusal is None and not self._knows(self._token_of(headers)):
            first = scope["path"] == "/" and self._knows(_query_token(scope))
            if not first:
                refusal = "open the address that beatgrid review printed, with its token"
        if refusal is not None:
            response = PlainTextResponse(f"{refusal}\n", status_code=403)
            await response(scope, receive, send_guarded)
            return
        await self._app(scope, receive, send_guarded)

    def _refusal(self, method: str, headers: Headers) -> str | None:
        host = headers.get("host", "")
        if host not in self._hosts:
            return "not this host"
        origin = headers.get("origin")
        if origin is None and method not in _READING:
            return "no origin"
        if origin is not None and origin != f"http://{host}":
            return "not this origin"
        is_page = headers.get("sec-fetch-mode") == "navigate"
        if not is_page and headers.get("sec-fetch-site", "none") not in _OWN_SITE:
            return "another site"
        return None

    def _knows(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), self._token.encode())

    def _token_of(self, headers: Headers) -> str:
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(self._cookie)
        except CookieError:
            return ""
        return cookie.value if cookie is not None else ""

    def _set_cookie(self) -> str:
        return f"{self._cookie}={self._token}; Path=/; HttpOnly; SameSite=Strict"


def _query_token(scope: Scope) -> str:
    return parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
