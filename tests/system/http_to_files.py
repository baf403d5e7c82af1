#!/usr/bin/env python3
"""Lets a CMP client that only speaks HTTP (RFC 9811) talk to a CA that is reached by files.

Each POST becomes a file in the drop directory; the answer is the file that appears beside it in
the answer directory. A test tool: it listens on the loopback address only and serves one request
after the other.

    http_to_files.py --in ca/in --out ca/out --port 8080
    http_to_files.py --in ca/in --out ca/out --port 8080 --each "cmpost run"
"""

import argparse
import http.server
import os
import shlex
import subprocess
import threading
import time
from pathlib import Path

CONTENT_TYPE = "application/pkixcmp"


class Relay:
    """Puts a request into the drop directory and waits for what comes back.

    `each` is run after each request, for a CA that does not run all the time. `exchanges` keeps
    (request, answer, name of the answer's file) in order.
    """

    def __init__(self, drop, answers, each=None, timeout=20):
        self.drop, self.answers = Path(drop), Path(answers)
        self.each, self.timeout = each, timeout
        self.exchanges = []
        self._prefix = f"http-{os.getpid()}-{time.time_ns():x}"

    def exchange(self, request):
        stem = f"{self._prefix}-{len(self.exchanges) + 1:04}"
        hidden = self.drop / f".{stem}.pki"
        hidden.write_bytes(request)
        hidden.rename(self.drop / f"{stem}.pki")
        if self.each:
            self.each()
        file = self._wait_for(stem)
        answer = file.read_bytes() if file else None
        self.exchanges.append((request, answer, file.name if file else None))
        return answer

    def _wait_for(self, stem):
        deadline = time.monotonic() + self.timeout
        while time.monotonic() < deadline:
            if found := list(self.answers.glob(f"{stem}.*.pki")):
                return found[0]
            if list((self.drop / ".quarantine").glob(f"{stem}*")):
                return None
            time.sleep(0.005)
        return None


class Server:
    """The HTTP side of a Relay, in a thread; a context manager."""

    def __init__(self, relay, port=0):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                answer = relay.exchange(self.rfile.read(int(self.headers["Content-Length"])))
                if answer is None:
                    return self.say_that_there_is_none()
                self.send_response(200)
                self.send_header("Content-Type", CONTENT_TYPE)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def say_that_there_is_none(self):
                """The client of OpenSSL 3.5 waits for a message after any status with the type of
                one, whatever its length, until the connection ends."""
                self.send_response(504)
                self.send_header("Content-Length", "0")
                self.send_header("Connection", "close")
                self.end_headers()

            def log_message(self, *_):
                pass

        # With a thread for each connection an idle one blocks neither the next nor the end.
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.block_on_close = False
        self.address = f"127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def serve_forever(self):
        self._server.serve_forever(poll_interval=0.01)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--in", dest="drop", required=True)
    parser.add_argument("--out", dest="answers", required=True)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--each", help="command to run after each request")
    options = parser.parse_args()
    command = options.each and shlex.split(options.each)
    each = command and (lambda: subprocess.run(command, check=False))
    server = Server(Relay(options.drop, options.answers, each), options.port)
    print(f"http://{server.address} -> {options.drop}, {options.answers} -> the client")
    server.serve_forever()


if __name__ == "__main__":
    main()
