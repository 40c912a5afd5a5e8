"""Protection against web pages: deployed functions run on this machine, so a page must not be able to deploy one.

A page of another site can send requests to a loopback port, and can have its own host name resolve to 127.0.0.1 (DNS
rebinding) to read the responses too. Browsers then name that host in `Host`, or the page's site in `Origin`.
"""

import re
from http import HTTPStatus

from simulator.http.messages import HttpRequest, HttpResponse, json_response

# `*.localhost` always is this machine; addresses of API Gateway belong to Amazon, and reach deployed apps only.
_HOST = re.compile(
    r"(127\.0\.0\.1|\[::1\]|([a-z0-9.-]+\.)?localhost|[a-z0-9]+\.execute-api\.[a-z0-9-]+\.amazonaws\.com)(:\d+)?",
    re.IGNORECASE,
)
_OWN_SITES = ("", "same-origin", "none")  # values of Sec-Fetch-Site; "none" is an address that was typed


def refusal(request: HttpRequest) -> HttpResponse | None:
    """Return the response to a request from another site's page, None for any other request."""
    host, origin = request.headers.get("Host", ""), request.headers.get("Origin", "")
    if host and not _HOST.fullmatch(host):
        return _forbidden(
            f"The simulator does not answer as host {host[:100]!r}, because a web page could reach it by that name. "
            "Use http://127.0.0.1 or http://localhost."
        )
    if origin and origin.partition("://")[2].lower() != host.lower():
        return _forbidden(f"The simulator does not answer pages of {origin[:100]!r}, only its own.")
    site, mode = request.headers.get("Sec-Fetch-Site", ""), request.headers.get("Sec-Fetch-Mode", "")
    follows_link = request.method in ("GET", "HEAD") and mode == "navigate"
    if site not in _OWN_SITES and not follows_link:
        return _forbidden("The simulator does not answer pages of other sites, only its own.")
    return None


def _forbidden(message: str) -> HttpResponse:
    return json_response({"__type": "AccessDeniedException", "message": message}, HTTPStatus.FORBIDDEN)
