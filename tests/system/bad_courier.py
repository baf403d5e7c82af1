"""A courier whom files do not come from as they went: out of order, twice, torn, and with forgeries."""

import random

from requester import ERROR, elements, explicit, inside_of, integer, seq
from three_parties import Courier


def of_nobody(answer):
    """An error message without protection, for the same transaction and with the same nonces."""
    header = elements(inside_of(inside_of(answer)))
    unprotected = b"".join(whole for tag, _, whole in header if tag != 0xA1)
    return seq(seq(unprotected), explicit(ERROR, seq(seq(integer(2)))))


def altered(answer):
    """One bit is another, where the protection holds it."""
    place = random.randrange(len(answer) // 4, len(answer) // 2)
    return answer[:place] + bytes([answer[place] ^ 1 << random.randrange(8)]) + answer[place + 1:]


def of_another(answer, other):
    """The body and the protection of `other` under the header of the answer."""
    header = elements(inside_of(answer))[0][2]
    return seq(header, *(whole for _, _, whole in elements(inside_of(other))[1:]))


class BadCourier(Courier):
    """What he does is chance, of `random`; nothing that is real is lost."""

    def __init__(self, gateway, vault):
        super().__init__(gateway, vault)
        self.seen = {self.up: {}, self.down: {}}  # octets by name
        self.changed = []  # names that came with other octets than before
        self.forged = 0
        self.before = None  # an answer

    def carry(self, way):
        files = self.waiting(way)
        random.shuffle(files)
        for file in files:
            octets = file.read_bytes()
            self.note(way, file.name, octets)
            if way == self.down:
                self.forge(file.name, octets)
            if random.random() < 0.1:
                self.deliver(way, file.name, octets[:random.randrange(1, len(octets))])
            self.deliver(way, file.name, octets)
            self.carried[way].append(file.name)
        if files and random.random() < 0.3:
            self.carry_again(way)
        return len(files)

    def note(self, way, name, octets):
        if self.seen[way].setdefault(name, octets) != octets:
            self.changed.append(name)

    def carry_again(self, way):
        name = random.choice(list(self.seen[way]))
        self.deliver(way, f"again-{random.randrange(1 << 30)}-{name}", self.seen[way][name])

    def forge(self, name, octets):
        """The first answer, and one of three, is preceded by what another has made."""
        if not self.forged or random.random() < 0.3:
            self.forged += 1
            self.deliver(self.down, f"forged-{self.forged}-{name}", self.forgery(octets))
        self.before = octets

    def forgery(self, octets):
        kinds = [of_nobody, altered]
        if self.before:
            kinds.append(lambda answer: of_another(answer, self.before))
        return random.choice(kinds)(octets)
