"""A CA above, asked over HTTP: the mock server of OpenSSL, and servers that the program dies over."""

import http.server
import os
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import unittest

from http_to_files import Relay, Server
from instance import PROGRAM, Instance, InstanceTest, eventually, run
from ra_courier_test import Client, CourierTest

CHANNEL = """
[[channel]]
name      = "above"
kind      = "http"
direction = "upstream"
url       = "http://127.0.0.1:{port}/pkix/"
trust     = ["trust/ca.pem"]
{more}
"""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Slow:
    """A CA that gets requests and answers none before it is told to."""

    def __init__(self):
        self.posted, self.answers, self.may_answer = [], b"\x30\x03\x02\x01\x05", threading.Event()
        ca = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                ca.posted.append(self.rfile.read(int(self.headers["Content-Length"])))
                ca.may_answer.wait(60)
                try:
                    self.send_response(200)
                    self.send_header("Content-Type", "application/pkixcmp")
                    self.send_header("Content-Length", str(len(ca.answers)))
                    self.end_headers()
                    self.wfile.write(ca.answers)
                except OSError:
                    pass  # who asked is dead

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.port = self.server.server_port

    def stop(self):
        self.may_answer.set()
        self.server.shutdown()
        self.server.server_close()


class HttpTest(InstanceTest):
    serve = False

    def make_instance(self, temporary):
        vault = Instance(temporary / "vault")
        return Instance(temporary / "instance", ca=vault.ca)

    def configure(self, port, more=""):
        file = self.instance.directory / "cmpost.toml"
        head = file.read_text().split('\n[[channel]]\nname      = "above"')[0]
        file.write_text(head + CHANNEL.format(port=port, more=more))

    def put_outgoing(self, octets):
        """A message for the CA above, as the role of an RA would leave it in the queue."""
        self.instance.cmpost("run", check=False)  # makes the spool
        spool = sqlite3.connect(self.instance.directory / "spool.db")
        with spool:
            (seq,) = spool.execute("SELECT next FROM queue WHERE name = 'reply'").fetchone()
            row = {"seq": seq, "id": os.urandom(16), "state": "waiting", "attempts": 0,
                   "arrived": int(time.time() * 1_000_000), "reason": "", "size": len(octets),
                   "channel": "drop", "source": "dev1.pki", "reply_channel": "above",
                   "reply_address": "", "reply_name": "", "in_reply_to": "",
                   "reply_references": "", "body": "ir", "tid": "0a0b"}
            names, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
            spool.execute(f"INSERT INTO reply({names}) VALUES ({marks})", row)
            spool.execute("INSERT INTO reply_payload VALUES (?, ?)", (seq, octets))
            spool.execute("UPDATE queue SET next = ?, jobs = jobs + 1 WHERE name = 'reply'",
                          (seq + 1,))
        spool.close()

    def send(self):
        """Only what brings messages away: nobody works on the answers."""
        with open(self.instance.log, "ab") as log:
            self.instance.process = subprocess.Popen(
                [PROGRAM, "serve", "--stage", "egress"], cwd=self.instance.directory,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def jobs(self, body):
        return [job for job in self.instance.json("queue", "list") if (job["body"] or "") == body]

    def came(self):
        return [job for job in self.jobs("") if job["channel"] == "above"]

    def outgoing(self, state):
        return [job for job in self.jobs("ir") if job["state"] == state]


class Asking(HttpTest):
    def test_the_answer_of_openssls_server_comes_into_the_queue(self):
        key, port = self.key("dev1"), free_port()
        issued = self.workshop / "issued.pem"
        run("openssl", "req", "-x509", "-key", key, "-subj", "/CN=issued", "-out", issued)
        server = subprocess.Popen(
            ["openssl", "cmp", "-config", "", "-port", str(port), "-srv_ref", "dev1",
             "-srv_secret", "pass:secret", "-rsp_cert", issued],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        self.configure(port)
        self.put_outgoing(self.request("dev1").read_bytes())
        self.send()
        eventually(self.came, "the answer")
        self.assertIn("answer to", self.came()[0]["source"])
        eventually(lambda: self.outgoing("done"), "the end of the request")

    def test_a_server_is_connected_to_and_asked_nothing(self):
        above = Slow()
        self.addCleanup(above.stop)
        self.configure(above.port)
        self.assertIn("channel above: connected to 127.0.0.1\n",
                      self.instance.cmpost("check", "--connect").stdout)
        self.assertIn("nothing was asked",
                      self.instance.cmpost("channel", "test", "above").stdout)
        self.assertEqual([], above.posted)

    def test_where_nobody_listens_status_says_that_the_channel_rests(self):
        port = free_port()
        self.configure(port)
        refused = self.instance.cmpost("check", "--connect", check=False)
        self.assertEqual(1, refused.returncode)
        self.assertIn(f"http://127.0.0.1:{port}/pkix/: it cannot be reached", refused.stderr)
        self.put_outgoing(b"ir")
        self.send()
        eventually(lambda: self.outgoing("deferred"), "the request put back")
        status = eventually(
            lambda: (found := self.instance.cmpost("status", check=False).stdout)
            and "it cannot be reached" in found and found, "the word of status")
        self.assertIn("above", status)


class Killed(HttpTest):
    def die_while_asking(self, rule):
        above = Slow()
        self.addCleanup(above.stop)
        self.configure(above.port, f'on_unknown = "{rule}"')
        self.put_outgoing(b"ir")
        self.send()
        eventually(lambda: above.posted, "the request at the CA above")
        self.instance.stop(signal.SIGKILL)
        above.may_answer.set()
        self.send()
        return above

    def test_a_request_is_repeated_where_the_peer_knows_it_again(self):
        above = self.die_while_asking("repeat")
        eventually(self.came, "the answer")
        self.assertEqual([b"ir", b"ir"], above.posted)
        self.assertEqual(1, len(self.came()))

    def test_a_request_is_held_where_a_second_certificate_could_come_of_it(self):
        above = self.die_while_asking("hold")
        held = eventually(lambda: self.outgoing("held"), "the held request")[0]
        self.assertIn("nobody knows whether it has arrived", held["reason"])
        self.assertIn("0a0b", held["reason"])
        self.assertEqual([b"ir"], above.posted)
        self.instance.cmpost("queue", "release", held["id"])
        eventually(self.came, "the answer")
        self.assertEqual([b"ir", b"ir"], above.posted)


class OneByOne(Relay):
    """A CA that is reached by HTTP and does what it is asked by one run for each message."""

    def __init__(self, vault):
        super().__init__(vault.drop, vault.answers, lambda: vault.cmpost("run", check=False))
        self.lock = threading.Lock()

    def exchange(self, request):
        with self.lock:
            return super().exchange(request)


class ByRun(CourierTest):
    """Requesters get what one `cmpost run` of the RA can bring them."""

    more = ""

    def prepare(self):
        super().prepare()
        self.ca_above = OneByOne(self.vault)
        server = Server(self.ca_above)
        server.__enter__()
        self.addCleanup(server.__exit__)
        self.port = int(server.address.rpartition(":")[2])
        self.instance.set_in("[ra]", "upstream", '"above"')
        self.reach(self.port)

    def reach(self, port):
        file = self.instance.directory / "cmpost.toml"
        head = file.read_text().split('\n[[channel]]\nname      = "above"')[0]
        file.write_text(head + CHANNEL.format(port=port, more=self.more))

    def ask(self, count):
        clients = [self.client(f"dev{number}", *self.device(f"dev{number}"))
                   for number in range(count)]
        self.together(Client.ask, clients)
        self.give(clients)
        return clients

    def check_answered(self, clients):
        self.together(Client.accept, clients)
        for one in clients:
            self.verify(one.certificate)
        self.assertEqual([], [job for job in self.instance.json("queue", "list")
                              if job["state"] != "done"])


class Reprotected(ByRun):
    def test_a_run_that_only_sends_what_was_left_works_on_the_answer_too(self):
        self.reach(free_port())
        clients = self.ask(1)
        self.instance.cmpost("run", check=False)
        (left,) = self.instance.json("queue", "list", "--state", "deferred")
        self.assertEqual([], self.ca_above.exchanges)
        self.reach(self.port)
        self.instance.cmpost("queue", "retry", left["id"])
        self.instance.cmpost("run")
        self.check_answered(clients)


class InBatches(ByRun):
    mode = "batch"
    known_above = True

    def test_one_run_sends_a_batch_and_answers_all_of_it(self):
        clients = self.ask(5)
        self.instance.cmpost("run")
        self.check_answered(clients)
        self.assertEqual(1, len(self.ca_above.exchanges))


class OneAtATime(ByRun):
    more = "max_pending = 1"

    def test_one_run_answers_all_where_there_is_room_for_one_answer(self):
        clients = self.ask(5)
        self.instance.cmpost("run")
        self.check_answered(clients)
        self.assertEqual(5, len(self.ca_above.exchanges))


if __name__ == "__main__":
    unittest.main()
