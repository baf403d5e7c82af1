"""The list of devices: taken from CSV, letters with secrets, certificates of vendors, and those that
nobody has listed yet."""

import csv
import io
import re
import unittest

from instance import PROGRAM, InstanceTest, run
from three_parties import ThreePartiesTest


class DeviceTest(InstanceTest):
    serve = False

    def prepare(self):
        self.instance.set_in_channel("devices", '"listed"')

    def write(self, *rows, columns="name"):
        file = self.workshop / "devices.csv"
        file.write_text("\n".join([columns, *rows]) + "\n")
        return file

    def take(self, *rows, columns="name"):
        return self.instance.cmpost("device", "import", self.write(*rows, columns=columns), "--yes")

    def devices(self, *more):
        return {one["name"]: one for one in self.instance.json("device", "list", *more)}

    def ask(self, name, *credential, **options):
        """A request that is worked on; what the client needs for the answer stays."""
        self.put(name, *credential, **options)
        return self.instance.cmpost("run", check=False)

    def put(self, name, *credential, command="ir", subject=None, more=()):
        key = self.workshop / f"{name}.key"
        if not key.exists():
            self.key(name)
        file = self.workshop / f"{name}.pki"
        self.client(name, *credential, "-reqout", file, "-rspin", "/dev/null", command=command,
                    subject=subject, more=more, check=False)
        self.instance.put(f"{name}.pki", file.read_bytes())

    def client(self, name, *arguments, command="ir", subject=None, more=(), check=True):
        return run("openssl", "cmp", "-config", "", "-cmd", command, "-recipient", "/CN=CA",
                   "-newkey", self.workshop / f"{name}.key",
                   *(("-subject", subject or f"/CN={name}") if command != "kur" else ()),
                   "-implicit_confirm", "-certout", self.workshop / f"{name}.pem", *arguments,
                   *more, check=check)

    def refusal(self, name):
        """What an answer says that is no certificate."""
        answer = next(self.instance.answers.glob(f"{name}.*.pki"))
        said = self.instance.cmpost("inspect", answer).stdout
        answer.unlink()
        return said

    def accept(self, name, *credential, command="ir", subject=None):
        answer = next(self.instance.answers.glob(f"{name}.*.pki"))
        self.client(name, *credential, "-rspin", answer, "-reqout", "/dev/null", command=command,
                    subject=subject)
        answer.unlink()
        self.verify(self.workshop / f"{name}.pem")


class Lists(DeviceTest):
    """What a file does to the list."""

    def test_a_file_is_looked_at_first(self):
        file = self.write("gw-1;7;north", "gw-2;8;south", columns="name;serial;site")
        said = self.instance.cmpost("device", "import", file).stdout
        self.assertIn("2 new, 0 the same, 0 changed, 0 in conflict", said)
        self.assertIn("nothing is done yet", said)
        self.assertEqual({}, self.devices())
        self.instance.cmpost("device", "import", file, "--yes")
        self.assertEqual({"gw-1", "gw-2"}, set(self.devices()))
        said = self.instance.cmpost("device", "import", file, "--yes").stdout
        self.assertIn("0 new, 2 the same, 0 changed, 0 in conflict", said)

    def test_changes_are_told_field_by_field_and_missing_ones_stay(self):
        self.take("gw-1,north,ann", "gw-2,south,bob", columns="name,site,contact")
        said = self.take("gw-1,west", columns="name,site").stdout
        self.assertIn('site: "north" -> "west"', said)
        self.assertIn("missing   gw-2", said)
        listed = self.devices()
        self.assertEqual("west", listed["gw-1"]["site"])
        self.assertEqual("ann", listed["gw-1"]["contact"])
        self.assertEqual("listed", listed["gw-2"]["state"])

    def test_a_secret_that_stays_keeps_what_it_was_used_for(self):
        columns = "name,secret,note"
        self.take("gw-1,given-in-the-list-1234,old", columns=columns)
        credential = self.with_secret("gw-1", "given-in-the-list-1234")
        self.ask("gw-1", *credential)
        self.accept("gw-1", *credential)
        self.take("gw-1,given-in-the-list-1234,new", columns=columns)
        self.key("gw-1")
        self.ask("gw-1", *credential)
        self.assertIn("used up", self.refusal("gw-1"))
        self.take("gw-1,another-in-the-list-5678,new", columns=columns)
        credential = self.with_secret("gw-1", "another-in-the-list-5678")
        self.ask("gw-1", *credential)
        self.accept("gw-1", *credential)

    def test_a_secret_of_somebody_else_is_not_taken_over(self):
        self.instance.add_secret("gw-1", "of-an-operator-12345")
        done = self.instance.cmpost(
            "device", "import", self.write("gw-1,of-the-list-12345678", columns="name,secret"),
            "--yes", check=False)
        self.assertEqual(1, done.returncode)
        self.assertIn("it is no device's", done.stdout)
        self.assertEqual({}, self.devices())

    def test_a_column_that_there_is_not_names_the_nearest(self):
        done = self.instance.cmpost(
            "device", "import", self.write("a,1", columns="name,serail"), check=False)
        self.assertEqual(1, done.returncode)
        self.assertIn("did you mean 'serial'?", done.stderr)

    def test_one_bad_row_sinks_no_other(self):
        done = self.instance.cmpost("device", "import", self.write(
            "gw-1,,00:11:22:33:44:55", "gw-2,nonsense,", "GW-1,,", "gw-3,,zz",
            "gw-4,2027-01-01,", ",2027-01-01,", "gw-5,,,extra", columns="name,valid_until,mac"),
            "--yes", check=False)
        self.assertEqual(2, done.returncode)
        self.assertEqual({"gw-1", "gw-4"}, set(self.devices()))
        for said in ('gw-2, line 3: valid_until "nonsense" is no time', "line 4:", "no MAC address",
                     "line 7:", "line 8:"):
            self.assertIn(said, done.stdout)

    def test_an_export_is_taken_again_and_has_no_formulas(self):
        self.take('"=cmd|x",7,"a;b ""c""",none', "gw-2,008,,", "gw-3,9,,s3cr3t-of-its-own",
                  columns="name,serial,note,secret")
        text = self.instance.cmpost("device", "export").stdout
        self.assertNotIn("s3cr3t", text)
        rows = list(csv.DictReader(io.StringIO(text)))
        self.assertEqual("'=cmd|x", rows[0]["name"])
        self.assertEqual("008", rows[1]["serial"])
        file = self.workshop / "again.csv"
        file.write_text(text)
        said = self.instance.cmpost("device", "import", file).stdout
        self.assertIn("0 new, 3 the same, 0 changed, 0 in conflict; 0 listed before", said)

    def test_two_rows_with_one_number_are_a_conflict(self):
        self.instance.set_in("[[profile]]", "name", '"device"')
        toml = self.instance.directory / "cmpost.toml"
        toml.write_text(toml.read_text() + '\n[[vendor]]\nname = "acme"\nroots = ["ca/ca.pem"]\n')
        done = self.instance.cmpost("device", "import", self.write(
            "gw-1,acme,7", "gw-2,acme,7", "gw-3,acne,8", columns="name,vendor,serial"), "--yes",
            check=False)
        self.assertEqual(2, done.returncode)
        self.assertIn("line 3: the serial of this vendor is that of the device 'gw-1'", done.stdout)
        self.assertIn("did you mean 'acme'?", done.stdout)

    def test_a_cell_that_only_looks_like_a_secret_is_none(self):
        file = self.write('gw-1,"  "', 'gw-2," none"', "gw-3,NONE", "gw-4,n/a", 'gw-5,"two words here"',
                          columns="name,secret")
        done = self.instance.cmpost("device", "import", file, "--yes", check=False)
        self.assertEqual(2, done.returncode)
        self.assertIn("gw-4, line 5: secret has fewer than 8 octets", done.stdout)
        self.assertIn("gw-5, line 6: secret has a blank in it", done.stdout)
        self.assertEqual({"gw-1": "", "gw-2": "none", "gw-3": "none"},
                         {name: one["secret"] for name, one in self.devices().items()})
        self.assertEqual(["dev1"], [one["reference"] for one in self.instance.json("secret", "list")])

    def test_a_list_comes_through_a_pipe_and_one_without_an_end_is_refused(self):
        text = self.write("gw-1", "gw-2").read_text()
        for more in ((), ("--yes",)):
            done = run(PROGRAM, "device", "import", "/dev/stdin", *more, text_in=text,
                       cwd=self.instance.directory)
            self.assertIn("2 new", done.stdout)
        self.assertEqual({"gw-1", "gw-2"}, set(self.devices()))
        for more in ((), ("--yes",)):
            done = self.instance.cmpost("device", "import", "/dev/zero", *more, check=False)
            self.assertEqual(1, done.returncode)
            self.assertIn("64 MiB", done.stderr)

    def test_a_row_that_changes_reaches_the_secret(self):
        columns = "name,secret,valid_until,channel,uses"
        self.take("gw-1,given-in-the-list-1234,2030-01-01,,", "gw-2,,2030-01-01,,", columns=columns)
        self.instance.cmpost("device", "letters", "gw-2", "--to", self.workshop / "l.html",
                             "--valid", "3650d")
        self.take("gw-1,given,2031-01-01,drop,3", "gw-2,,2029-01-01,drop,3", columns=columns)
        secrets = {one["reference"]: one for one in self.instance.json("secret", "list")}
        for name, end in (("gw-1", "2031-01-01T23:59:59Z"), ("gw-2", "2029-01-01T23:59:59Z")):
            self.assertEqual(end, secrets[name]["expires"])
            self.assertEqual(3, secrets[name]["max_uses"])
        credential = self.with_secret("gw-1", "given-in-the-list-1234")
        self.ask("gw-1", *credential)
        self.accept("gw-1", *credential)
        self.take("gw-1,given,2020-01-01,drop,3", columns=columns)
        events = [one["event"] for one in self.instance.json("audit", "show")]
        self.assertEqual(3, events.count("secret.changed"))
        self.instance.cmpost("audit", "verify")

    def test_the_audit_log_knows_who_did_it(self):
        self.instance.cmpost("device", "import", self.write("gw-1"), "--yes", "--as", "alice")
        self.instance.cmpost("device", "retire", "gw-1", "--reason", "stolen", "--as", "bob")
        events = {one["event"]: one["detail"] for one in self.instance.json("audit", "show")}
        self.assertIn("alice", str(events["device.imported"]))
        self.assertIn("stolen", str(events["device.retired"]))
        self.instance.cmpost("audit", "verify")


class Letters(DeviceTest):
    """Secrets on paper."""

    def print_letters(self, name, *more, check=True):
        file = self.workshop / name
        done = self.instance.cmpost("device", "letters", "--batch", "b1", "--to", file, *more,
                                    check=check)
        return file, done

    def secrets(self, file):
        pages = file.read_text().split('<section class="letter">')[1:]
        found = {}
        for page in pages:
            name = re.search(r"Secret for the device (?:<bdi>)?([^<]+)", page)[1]
            code = re.search(r'<p class="code">(.*?)</p>', page, re.S)[1]
            found[name] = re.sub(r"<[^>]*>|-|\s", "", code)
        return found

    def test_the_printed_secret_gets_one_certificate(self):
        self.take("gw-1,b1,north", "gw-2,b1,south", "gw-3,b2,", columns="name,batch,site")
        file, _ = self.print_letters("letters.html")
        self.assertEqual(0o600, file.stat().st_mode & 0o777)
        secrets = self.secrets(file)
        self.assertEqual({"gw-1", "gw-2"}, set(secrets))
        self.assertNotIn("http", file.read_text().replace("http-equiv", ""))
        self.assertEqual("invited", self.devices()["gw-1"]["state"])
        credential = self.with_secret("gw-1", secrets["gw-1"])
        self.ask("gw-1", *credential)
        self.accept("gw-1", *credential)
        self.assertEqual("confirmed", self.devices()["gw-1"]["state"])
        self.key("gw-1")
        self.ask("gw-1", *credential)
        self.assertIn("used up", self.refusal("gw-1"))
        self.instance.cmpost("audit", "verify")

    def test_a_second_print_has_to_be_wanted_and_makes_the_first_worthless(self):
        self.take("gw-1,b1", columns="name,batch")
        first, _ = self.print_letters("first.html")
        second, done = self.print_letters("second.html", check=False)
        self.assertEqual(1, done.returncode)
        self.assertIn("printed before", done.stderr)
        self.assertFalse(second.exists())
        second, _ = self.print_letters("second.html", "--again", "--as", "alice")
        old, new = self.secrets(first)["gw-1"], self.secrets(second)["gw-1"]
        self.assertNotEqual(old, new)
        self.ask("gw-1", *self.with_secret("gw-1", old))
        self.assertIn("no secret is known that fits", self.refusal("gw-1"))
        credential = self.with_secret("gw-1", new)
        self.key("gw-1")
        self.ask("gw-1", *credential)
        self.accept("gw-1", *credential)
        records = [one for one in self.instance.json("audit", "show")
                   if one["event"] == "device.letters"]
        self.assertEqual(2, len(records))
        self.assertIn("alice", str(records[1]))

    def test_mistakes_in_typing_are_found_by_their_group(self):
        self.take("gw-1,b1", columns="name,batch")
        secret = self.secrets(self.print_letters("letters.html")[0])["gw-1"]
        check = (PROGRAM, "device", "check-secret")
        self.assertIn("as it was printed", run(*check, text_in=secret.lower()).stdout)
        wrong = secret[:6] + ("7" if secret[6] != "7" else "8") + secret[7:]
        done = run(*check, text_in=wrong, check=False)
        self.assertEqual(1, done.returncode)
        self.assertIn("group 2,", done.stdout)

    def test_a_name_is_text_on_the_page(self):
        self.take('"<script>alert(1)</script>",b1,CN=x', columns="name,batch,subject")
        file, _ = self.print_letters("letters.html")
        self.assertNotIn("<script>", file.read_text())

    def test_a_process_that_dies_leaves_no_letter(self):
        self.take("gw-1,b1", columns="name,batch")
        for step in range(1, 20):
            self.instance.environment["CMPOST_CRASH_AT"] = str(step)
            file, done = self.print_letters("killed.html", "--again", check=False)
            if done.returncode == 0:
                break
            self.assertEqual([], list(self.workshop.glob(".*")))
            file.unlink(missing_ok=True)
        self.assertLess(2, step)
        self.assertIn("gw-1", self.secrets(file))

    def test_a_file_is_never_written_over(self):
        self.take("gw-1,b1", columns="name,batch")
        (self.workshop / "there.html").write_text("x")
        _, done = self.print_letters("there.html", check=False)
        self.assertEqual(1, done.returncode)
        self.assertEqual("listed", self.devices()["gw-1"]["state"])


class VendorTest(DeviceTest):
    """Two vendors: one certifies serial numbers, the other one MAC addresses."""

    def prepare(self):
        super().prepare()
        for vendor in ("acme", "other"):
            run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "90",
                "-keyout", self.workshop / f"{vendor}.key", "-out", self.workshop / f"{vendor}.pem",
                "-subj", f"/O={vendor}/CN={vendor} CA",
                "-addext", "basicConstraints=critical,CA:TRUE",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        toml = self.instance.directory / "cmpost.toml"
        toml.write_text(toml.read_text() + "".join(
            f'\n[[vendor]]\nname = "{vendor}"\nroots = ["{self.workshop / vendor}.pem"]\n'
            f'id = "subject.serialNumber"\ncolumn = "{column}"\n'
            for vendor, column in (("acme", "serial"), ("other", "mac"))))

    def birth(self, name, number, vendor="acme"):
        """-cert and -key of a certificate that the vendor has put into the device."""
        key, csr = self.workshop / f"{name}-birth.key", self.workshop / f"{name}.csr"
        certificate = self.workshop / f"{name}-birth.pem"
        run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-keyout", key, "-out", csr, "-subj",
            f"/O={vendor}/CN=model 7/serialNumber={number}")
        run("openssl", "x509", "-req", "-in", csr, "-CA", self.workshop / f"{vendor}.pem",
            "-CAkey", self.workshop / f"{vendor}.key", "-days", "30", "-out", certificate,
            "-CAcreateserial")
        return ("-cert", certificate, "-key", key, "-trusted", self.instance.ca)


class OfVendors(VendorTest):
    """Who shows a certificate of a vendor, and its row."""

    def test_the_row_says_what_a_listed_device_may_have(self):
        self.take("gw-1,acme,00017,\"CN=gw-1,O=Grid\",DNS:gw-1.grid.example",
                  columns="name,vendor,serial,subject,san")
        birth = self.birth("gw-1", "00017")
        self.ask("gw-1", *birth)
        self.assertIn("may not ask for the subject", self.refusal("gw-1"))
        self.key("gw-1")
        wanted = "/O=Grid/CN=gw-1"
        self.ask("gw-1", *birth, subject=wanted, more=("-sans", "gw-1.grid.example"))
        self.accept("gw-1", *birth, subject=wanted)
        self.assertEqual("confirmed", self.devices()["gw-1"]["state"])
        self.assertEqual(1, self.devices()["gw-1"]["certificates"])

    def test_who_is_not_listed_waits_until_it_is(self):
        birth = self.birth("gw-1", "17")
        self.ask("gw-1", *birth)
        self.assertEqual([], list(self.instance.answers.glob("gw-1.*")))
        self.assertEqual(1, self.instance.json("status")["transactions"]["unlisted"])
        waits = self.instance.json("transaction", "list", "--state", "waiting")
        self.assertEqual(1, len(waits))
        self.assertIn("serial 17 of acme", str(waits))
        told = self.instance.cmpost("transaction", "explain", waits[0]["tid"]).stdout
        self.assertIn("list of devices", told)
        done = self.instance.cmpost("approve", waits[0]["tid"], check=False)
        self.assertNotEqual(0, done.returncode)
        self.assertIn("device import", done.stdout + done.stderr)
        said = self.take("gw-1,acme,17", columns="name,vendor,serial").stdout
        self.assertIn("judged again", said)
        self.instance.cmpost("run")
        self.accept("gw-1", *birth)
        self.assertEqual(0, self.instance.json("status")["transactions"]["unlisted"])

    def test_who_is_never_listed_can_be_refused(self):
        birth = self.birth("gw-1", "17")
        self.ask("gw-1", *birth)
        tid = self.instance.json("transaction", "list", "--state", "waiting")[0]["tid"]
        self.instance.cmpost("reject", tid, "--reason", "not ours")
        self.instance.cmpost("run", check=False)
        self.assertIn("not ours", self.refusal("gw-1"))

    def test_one_vendor_does_not_vouch_for_the_numbers_of_another(self):
        self.take("gw-1,acme,17", columns="name,vendor,serial")
        self.ask("gw-1", *self.birth("gw-1", "001122334455", "other"))
        waits = self.instance.json("transaction", "list", "--state", "waiting")
        self.assertIn("MAC address 001122334455 of other", str(waits))

    def test_a_mac_address_is_the_same_in_every_spelling(self):
        self.take("gw-1,other,00-11-22-aa-bb-cc", columns="name,vendor,mac")
        birth = self.birth("gw-1", "0011.22AA.BBCC", "other")
        self.ask("gw-1", *birth)
        self.accept("gw-1", *birth)

    def test_a_retired_device_gets_nothing_and_is_told_why(self):
        self.take("gw-1,acme,17", columns="name,vendor,serial")
        birth = self.birth("gw-1", "17")
        self.ask("gw-1", *birth)
        self.accept("gw-1", *birth)
        own = ("-cert", self.workshop / "first.pem", "-key", self.workshop / "first.key",
               "-trusted", self.instance.ca)
        for end in ("pem", "key"):
            (self.workshop / f"gw-1.{end}").rename(self.workshop / f"first.{end}")
        self.ask("gw-1", *own, command="kur", more=("-oldcert", self.workshop / "first.pem"))
        self.assertEqual(2, len(self.instance.json("cert", "list", "--channel", "drop")))
        self.assertEqual(2, self.devices()["gw-1"]["certificates"])
        self.accept("gw-1", *own, command="kur")
        self.instance.cmpost("device", "retire", "gw-1", "--reason", "sold")
        for end in ("pem", "key"):
            (self.workshop / f"gw-1.{end}").rename(self.workshop / f"second.{end}")
        own = ("-cert", self.workshop / "second.pem", "-key", self.workshop / "second.key",
               "-trusted", self.instance.ca)
        self.ask("gw-1", *own, command="kur", more=("-oldcert", self.workshop / "second.pem"))
        self.assertIn("is retired: sold", self.refusal("gw-1"))
        self.key("gw-1")
        self.ask("gw-1", *birth)
        self.assertIn("is retired: sold", self.refusal("gw-1"))

    def test_a_certificate_from_here_is_renewed_and_brings_no_other(self):
        self.take("gw-1,acme,17,1", columns="name,vendor,serial,uses")
        birth = self.birth("gw-1", "17")
        self.ask("gw-1", *birth)
        self.accept("gw-1", *birth)
        for end in ("pem", "key"):
            (self.workshop / f"gw-1.{end}").rename(self.workshop / f"first.{end}")
        own = ("-cert", self.workshop / "first.pem", "-key", self.workshop / "first.key",
               "-trusted", self.instance.ca)
        self.ask("gw-1", *own, command="cr")
        self.assertIn("renews its certificate by kur", self.refusal("gw-1"))
        self.assertEqual(1, self.devices()["gw-1"]["certificates"])
        self.ask("gw-1", *own, command="kur", more=("-oldcert", self.workshop / "first.pem"))
        self.accept("gw-1", *own, command="kur")

    def test_a_row_allows_so_many_and_from_when_to_when(self):
        self.take("gw-1,acme,17,1,", "gw-2,acme,18,,2020-01-01",
                  columns="name,vendor,serial,uses,valid_until")
        birth = self.birth("gw-1", "17")
        self.ask("gw-1", *birth)
        self.accept("gw-1", *birth)
        self.key("gw-1")
        self.ask("gw-1", *birth)
        self.assertIn("all the certificates that its row allows", self.refusal("gw-1"))
        self.ask("gw-2", *self.birth("gw-2", "18"))
        self.assertIn("could ask until 2020-01-01", self.refusal("gw-2"))

    def test_of_two_at_once_only_so_many_get_a_certificate(self):
        self.take("gw-1,acme,17,1", columns="name,vendor,serial,uses")
        birth = self.birth("gw-1", "17")
        for name in ("one", "two", "three"):
            self.put(name, *birth, subject="/CN=gw-1")
        self.instance.cmpost("run", check=False)
        self.assertEqual(1, len(self.certificates()))
        self.assertEqual(1, self.devices()["gw-1"]["certificates"])

    def test_an_import_that_dies_at_any_step_is_repeated_or_goes_on_by_itself(self):
        birth = self.birth("gw-1", "17")
        self.ask("gw-1", *birth)
        file = self.write("gw-1,acme,17", columns="name,vendor,serial")
        for step in range(1, 9):
            self.instance.environment["CMPOST_CRASH_AT"] = str(step)
            self.instance.cmpost("device", "import", file, "--yes", check=False)
            if self.devices():
                break
        del self.instance.environment["CMPOST_CRASH_AT"]
        self.instance.cmpost("run")
        self.accept("gw-1", *birth)


class BehindAnRa(DeviceTest, ThreePartiesTest):
    """The list of a registration authority."""

    def prepare(self):
        ThreePartiesTest.prepare(self)
        self.instance.set_in_channel("trust", "[]")
        self.instance.set_in_channel("devices", '"listed"')
        toml = self.instance.directory / "cmpost.toml"
        toml.write_text(toml.read_text() + f'\n[[vendor]]\nname = "acme"\n'
                        f'roots = ["{self.vendor.root}"]\nid = "subject.CN"\n')

    def test_nothing_goes_up_before_the_device_is_listed(self):
        birth = self.device("gw-1")
        self.ask("gw-1", *birth)
        self.assertEqual(0, self.courier.carry(self.courier.up))
        self.assertEqual(1, self.instance.json("status")["transactions"]["unlisted"])
        self.take("gw-1,acme,gw-1", columns="name,vendor,serial")
        self.run_round()
        self.accept("gw-1", *birth)
        self.assertEqual(1, self.devices()["gw-1"]["certificates"])
        self.instance.cmpost("device", "retire", "gw-1", "--reason", "sold")
        self.key("gw-1")
        self.ask("gw-1", *birth)
        self.assertIn("is retired: sold", self.refusal("gw-1"))


if __name__ == "__main__":
    unittest.main()
