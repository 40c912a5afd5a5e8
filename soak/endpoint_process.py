"""The simulated endpoint in a process of its own, which can be killed, and started again on the same port.

    PUT /_soak/error?code=ThrottlingException     every invocation fails with this AWS error code, until DELETE

All other requests are those of `simulator.endpoint.endpoint_site`.
"""

import http.client
import subprocess
import sys
import time
from typing import Self

from chalicelib.errors import SentimentError
from simulator.endpoint.endpoint_site import FAULTS_PATH, EndpointSite
from simulator.endpoint.local_endpoint import packaged_container
from simulator.endpoint.runtime import VARIANT, RuntimeEndpoint, Variant, error_response
from simulator.http.messages import HttpRequest, HttpResponse, json_response
from simulator.http.server import LOOPBACK, HttpServer
from training.project import ROOT

ERROR_PATH = "/_soak/error"
START_TIMEOUT_SECONDS = 60.0
_ERROR_STATUS = 400


class EndpointProcessError(SentimentError):
    """The endpoint's process could not be started or controlled."""

    type = "endpoint-process-failed"
    title = "The process of the simulated endpoint failed"


class SoakSite:
    """The endpoint's site, with any AWS error code as a fault."""

    def __init__(self, site: EndpointSite) -> None:
        self._site = site
        self._code = ""

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer a request; raises `ConnectionCutError`."""
        if request.encoded_path == ERROR_PATH:
            self._code = request.args.get("code", "") if request.method == "PUT" else ""
            return json_response({"code": self._code})
        if self._code and request.segments[-1:] == ["invocations"]:
            return error_response(self._code, _ERROR_STATUS, "Injected by the soak test.", "soak")
        return self._site.handle(request)


class EndpointProcess:
    """The running process. Use it in a `with` statement."""

    def __init__(self, name: str, port: int) -> None:
        """Start the process on a free loopback port; raises `EndpointProcessError`."""
        self.name, self.port = name, port
        self.url = f"http://{LOOPBACK}:{port}"
        self._process = self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.kill()

    def kill(self) -> None:
        """Kill the process with SIGKILL."""
        self._process.kill()
        self._process.communicate()

    def restart(self) -> None:
        """Start the process again after `kill`."""
        self._process = self._start()

    def inject(self, path: str) -> None:
        """Switch a fault on: the path of the PUT request, with its query."""
        self._request("PUT", path)

    def clear(self) -> None:
        """Switch all faults off."""
        self._request("DELETE", FAULTS_PATH)
        self._request("DELETE", ERROR_PATH)

    def _start(self) -> subprocess.Popen[bytes]:
        """Start a process, and wait until it serves. It ends with this process, which holds its standard input."""
        command = [sys.executable, "-m", "soak.endpoint_process", self.name, str(self.port)]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdout
        if process.stdout.readline() != b"serving\n":
            process.kill()
            process.communicate()
            raise EndpointProcessError(f"The endpoint did not start on port {self.port}. See its error message above.")
        return process

    def _request(self, method: str, path: str) -> None:
        """Send a request that changes the faults; raises `EndpointProcessError` if it is refused."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=START_TIMEOUT_SECONDS)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        if response.status != http.client.OK:
            raise EndpointProcessError(f"{method} {path} returned {response.status}: {body.decode(errors='replace')}")


def serve(name: str, port: int) -> None:
    """Serve the packaged model until the standard input is closed."""
    variants = (Variant(VARIANT, 1.0, packaged_container()),)
    server = HttpServer(port, SoakSite(EndpointSite(RuntimeEndpoint(name, variants, pause=time.sleep))))
    sys.stdout.write("serving\n")
    sys.stdout.flush()
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
