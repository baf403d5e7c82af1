"""What Python's email package sees in a mail, line by line, for another_reader_test.cpp."""

import email
import email.utils
import sys
from email import policy


def main():
    with open(sys.argv[1], "rb") as file:
        mail = email.message_from_binary_file(file, policy=policy.default)
    display_name, address = email.utils.parseaddr(str(mail["From"]))
    lines = [
        "from " + address,
        "name " + display_name,
        "to " + str(mail["To"]),
        "subject " + str(mail["Subject"]),
        "date " + mail["Date"].datetime.isoformat(),
        "id " + str(mail["Message-ID"]),
        "automatic " + str(mail["Auto-Submitted"]),
        "references " + " ".join(str(mail["References"]).split()),
        "defects " + str([repr(defect) for part in mail.walk() for defect in part.defects]),
    ]
    body, attachment = mail.iter_parts()
    lines.append("text " + repr(body.get_content()))
    lines.append(f"attachment {attachment.get_content_type()} {attachment.get_filename()}")
    lines.append("content " + attachment.get_content().hex())
    sys.stdout.buffer.write("\n".join(lines).encode() + b"\n")


main()
