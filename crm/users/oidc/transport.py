"""Requests to an issuer: bounded in time and size, without redirects, and not into closed networks."""

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from crm.kit.errors import Refused
from crm.kit.outgoing import Call, Unreachable, check_url, send

TIMEOUT = 5.0  # seconds for one request; a sign-in makes up to five
LARGEST = 512 * 1024  # bytes: keys with their certificates are the longest of the documents


class Transport(BaseAdapter):
    """The transport of a `requests` session. `trusted`: the operator configured the issuer, wherever it is."""

    def __init__(self, trusted: bool):
        super().__init__()
        self.trusted = trusted

    def send(self, request, **kwargs):
        """Return the response. Raises requests.ConnectionError."""
        try:
            url = check_url(request.url, trusted=self.trusted)
            call = Call(request.method, url, request.body, request.headers, TIMEOUT, LARGEST, self.trusted)
            answer = send(call)
        except (Refused, Unreachable) as error:
            raise requests.ConnectionError(str(error)) from error
        response = requests.Response()
        response.status_code, response.url, response.request = answer.status, request.url, request
        response.headers, response.encoding = CaseInsensitiveDict(answer.headers), "utf-8"
        response._content = answer.body
        return response

    def close(self):
        """Do nothing: every request has its own connection."""


def session(*, trusted: bool) -> requests.Session:
    """Return a session that ignores proxies and .netrc of the process, and raises TooManyRedirects for a redirect."""
    made = requests.Session()
    made.trust_env, made.max_redirects = False, 0
    made.headers.update({"user-agent": "Throughline", "accept": "application/json", "accept-encoding": "identity"})
    for scheme in ("https://", "http://"):
        made.mount(scheme, Transport(trusted))
    return made
