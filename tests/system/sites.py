"""How sites reach an RA: by a directory, or by mail. Both ways name files alike: the answer to NAME.pki
is NAME.BODY.pki."""

import os

from instance import eventually, run
from mail_servers import FETCH, MailServers
from mail_test import Mailbox


class ByDirectory:
    channel = "drop"

    def __init__(self, ra):
        self.ra = ra

    def send(self, file):
        os.rename(file, self.ra.drop / file.name)

    def wait_for_delivery(self):
        """Until the RA can take in what was sent."""

    def answers(self):
        """File name -> octets."""
        return {file.name: file.read_bytes() for file in self.ra.answers.glob("*.pki")}


class ByMail:
    """With a mail program, by real servers."""

    channel = "depots"

    def __init__(self, ra, directory):
        self.servers = MailServers(directory)
        self.servers.give_channel(ra, FETCH["imap"], "smtps://localhost:{smtps}", "30s")
        self.here, self.there = Mailbox(self.servers, "ee"), Mailbox(self.servers, "ra")
        self.asked = self.delivered = 0

    def stop(self):
        self.here.close()
        self.there.close()
        self.servers.stop()

    def send(self, file):
        run("s-nail", "-:/", "-S", "v15-compat", "-S",
            f"mta=smtp://127.0.0.1:{self.servers.postfix.smtp}", "-S", "smtp-auth=none", "-S",
            "smtp-config=-all", "-r", "ee@test", "-s", file.stem, "-a", file, "ra@test",
            text_in="Dear RA, here is our request.\n")
        file.unlink()
        self.asked += 1

    def wait_for_delivery(self):
        wanted = self.asked - self.delivered
        eventually(lambda: self.there.count() == wanted, f"{wanted} mails at the RA", 60)
        self.delivered = self.asked

    def answers(self):
        """... when there are as many as requests."""
        eventually(lambda: self.here.count() >= self.asked, f"{self.asked} answers by mail", 60)
        parts = [part for mail in self.here.mails() for part in mail.walk()]
        return {part.get_filename(): part.get_payload(decode=True) for part in parts
                if part.get_content_type() == "application/pkixcmp"}
