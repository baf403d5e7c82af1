"""Lets others read what an instance signs: OpenSSL, Go's crypto/x509, Python's cryptography, Bouncy Castle,
and lets pkilint look at what is made by default. Says what it leaves out, and why.

    readers.py          all of it
    readers.py short    the good ones and some mutants, with OpenSSL and Python's cryptography
"""

import concurrent.futures
import glob
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from corpus import Corpus, write_bundle  # noqa: E402
from instance import Instance, run  # noqa: E402
from requester import IR, Requester, Secret, certificate_in, common_name, seq  # noqa: E402
from requester import openssl, signed_request, template  # noqa: E402

# What pkilint says of default certificates and CRLs, and why it stays so.
EXPLAINED = {
    "pkix.subject_key_identifier_method_1_identified":
        "no fault: it tells by which method of RFC 5280 4.2.1.2 the identifier was made",
}


def words(*command, **more):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=900,
                          **more)


def complaints(done):
    """The lines of a reader: what it could not read, and why."""
    if done.returncode != 0:
        return [("the reader itself", done.stderr[-2000:])]
    return [tuple(line.split("\t", 1)) for line in done.stdout.splitlines()]


def ask_openssl(kind, bundle):
    """Extensions are decoded, too: ext_error names those that cannot be."""
    import base64

    def one(line):
        label, der = line.split("\t")
        command = ["x509", "-certopt", "ext_error"] if kind == "certificate" else ["crl"]
        done = subprocess.run(["openssl", *command, "-inform", "DER", "-noout", "-text"],
                              input=base64.b64decode(der), capture_output=True, timeout=60)
        text = (done.stdout + done.stderr).decode(errors="replace")
        for trouble in ("<Parse Error>", "Unable to load Public Key", "<INVALID"):
            if trouble in text:
                return label, trouble
        return (label, text[-300:]) if done.returncode != 0 else None

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return [found for found in pool.map(one, bundle.read_text().splitlines()) if found]


def python_with_cryptography():
    """Debian's, then whatever python3 has it."""
    for python in ("/usr/bin/python3", sys.executable):
        if words(python, "-c", "import cryptography").returncode == 0:
            return python
    return None


def ask_python(kind, bundle):
    python = python_with_cryptography()
    return python and complaints(words(python, HERE / "read.py", kind, bundle))


def ask_go(kind, bundle):
    if not shutil.which("go"):
        return None
    with tempfile.TemporaryDirectory() as cache:
        settings = {"GO111MODULE": "off", "GOCACHE": cache, "GOFLAGS": "", "GOTOOLCHAIN": "local"}
        return complaints(words("go", "run", HERE / "read.go", kind, bundle,
                                env={**os.environ, **settings}))


def ask_bouncy_castle(kind, bundle):
    jars = [jar for name in ("bcprov", "bcutil", "bcpkix")
            for jar in glob.glob(f"/usr/share/java/{name}.jar")]
    if not jars or not shutil.which("java"):
        return None
    return complaints(words("java", "-cp", ":".join(jars), HERE / "Read.java", kind, bundle))


READERS = {"OpenSSL": (ask_openssl, "openssl"), "Python's cryptography": (ask_python,
           "python3-cryptography"), "Go's crypto/x509": (ask_go, "golang-go"),
           "Bouncy Castle": (ask_bouncy_castle, "libbcpkix-java default-jdk-headless")}


def everybody_reads(bundles, names):
    """Whether all of the readers that are here read all."""
    good = True
    for name in names:
        ask, package = READERS[name]
        for kind, bundle in bundles.items():
            found = ask(kind, bundle)
            if found is None:
                print(f"{name}: SKIPPED, it is not here (Debian: {package})")
                break
            count = len(bundle.read_text().splitlines())
            print(f"{name}: {count - len(found)} of {count} ({kind})")
            for label, reason in found[:40]:
                print(f"  cannot read {label}: {reason}")
            good = good and not found
    return good


def defaults(place):
    """What an instance makes by its defaults."""
    instance = Instance(place / "default")
    instance.add_secret("dev1")
    key = place / "dev1.key"
    run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
    instance.serve()
    try:
        _, body = Requester(instance, Secret("dev1", "one secret for tests")).talk(
            IR, seq(signed_request(template(common_name("dev1"), key), key)))
    finally:
        instance.stop()
    instance.cmpost("crl", "issue")
    (place / "dev1.der").write_bytes(certificate_in(body))
    files = {"the device": place / "dev1.pem", "the root": instance.ca,
             "the CMP certificate": instance.directory / "ca/cmp.pem"}
    openssl("x509", "-inform", "DER", "-in", place / "dev1.der", "-out", files["the device"])
    crl = max(instance.directory.rglob("*.crl*"), key=lambda file: file.stat().st_mtime)
    return files, crl


def pkilint_finds_nothing(place):
    program = shutil.which("lint_pkix_cert")
    folder = Path(os.environ["PKILINT"]) if "PKILINT" in os.environ else None
    if folder is None and program:
        folder = Path(program).parent
    if folder is None or not (folder / "lint_pkix_cert").exists():
        print("pkilint: SKIPPED, it is not here (python3 -m venv V; V/bin/pip install pkilint; "
              "PKILINT=V/bin)")
        return True
    files, crl = defaults(place)
    findings = []
    for what, file in files.items():
        findings += lint(folder / "lint_pkix_cert", what, "lint", file)
    findings += lint(folder / "lint_crl", "the CRL", "lint", "-t", "CRL", "-p", "PKIX", crl)
    unexplained = [found for found in findings if found[1] not in EXPLAINED]
    for what, code in findings:
        print(f"pkilint: {what}: {code}" + (f" ({EXPLAINED[code]})" if code in EXPLAINED else ""))
    print(f"pkilint: {len(files) + 1} files, {len(unexplained)} findings")
    return not unexplained


def lint(program, what, *arguments):
    done = words(program, *arguments, "-s", "INFO", "-f", "CSV")
    if done.returncode < 0 or "Traceback" in done.stderr or "usage:" in done.stderr:
        return [(what, done.stderr[-1500:])]
    # node_path, validator, severity, code, message
    return [(what, line.split(",")[3]) for line in done.stdout.strip().splitlines()[1:]]


def main():
    short = "short" in sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="cmpost-readers-") as temporary:
        place = Path(temporary)
        corpus = Corpus(place, few=short)
        print(f"{len(corpus.granted)} certificates, {len(corpus.refused)} requests refused")
        bundles = {"certificate": write_bundle(place / "certificates", corpus.granted),
                   "crl": write_bundle(place / "crls", corpus.crls())}
        if kept := os.environ.get("READERS_KEEP"):
            for file in bundles.values():
                shutil.copy(file, kept)
            (Path(kept) / "refused").write_text(
                "".join(f"{label!r}\t{why}\n" for label, why in corpus.refused.items()))
        names = list(READERS)[:2] if short else list(READERS)
        good = everybody_reads(bundles, names)
        if not short:
            good = pkilint_finds_nothing(place) and good
    print("everybody reads all of it" if good else "NOT everybody reads all of it")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
