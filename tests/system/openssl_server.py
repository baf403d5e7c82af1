"""The CMP server that comes with OpenSSL: it answers everything with one certificate."""

import socket
import subprocess
import time
import urllib.request


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class OpensslServer:
    """`openssl cmp -port`; a context manager. It serves one request after the other."""

    def __init__(self, certificate, *arguments, port=None, log=subprocess.DEVNULL):
        self.port = port or free_port()
        self.command = ["openssl", "cmp", "-config", "", "-port", str(self.port),
                        "-rsp_cert", str(certificate), *map(str, arguments)]
        self.log = log

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log)
        self._wait_until_it_listens()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def _wait_until_it_listens(self):
        # Looked up, not connected to: a connection without a request costs it a time-out.
        wanted = f":{self.port:04X} "
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            with open("/proc/net/tcp") as first, open("/proc/net/tcp6") as second:
                if any(wanted in line and " 0A " in line for line in [*first, *second]):
                    return
            time.sleep(0.01)
        raise AssertionError(f"the server of OpenSSL does not listen: {self.process.args}")

    def answer(self, request):
        return urllib.request.urlopen(urllib.request.Request(
            f"http://127.0.0.1:{self.port}/pkix/", request,
            {"Content-Type": "application/pkixcmp"}), timeout=20).read()
