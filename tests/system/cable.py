"""What lies between the program and a server: a network that can be pulled out, or fall silent."""

import selectors
import socket
import threading


class Cable:
    """A proxy on loopback to `port`; self.port is its near end."""

    def __init__(self, port):
        self.target, self.silent = port, False
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.selector = selectors.DefaultSelector()  # of one thread
        self.selector.register(self.listening, selectors.EVENT_READ)
        self.near, self.here = socket.socketpair()
        self.selector.register(self.here, selectors.EVENT_READ)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is self.here:
                    if not self.obey(self.here.recv(1)):
                        return
                    break  # what else was ready may be closed by now
                if key.fileobj is self.listening:
                    self.connect(self.listening.accept()[0])
                else:
                    self.forward(key.fileobj, key.data)

    def obey(self, word):
        self.silent = word == b"s"
        for key in list(self.selector.get_map().values()):
            if key.fileobj not in (self.here, self.listening):
                self.drop(key.fileobj)
        self.here.sendall(b".")
        return word != b"e"

    def drop(self, connection):
        self.selector.unregister(connection)
        connection.close()

    def connect(self, near):
        if self.silent:  # somebody has taken it, and says nothing
            self.selector.register(near, selectors.EVENT_READ)
            return
        far = socket.create_connection(("127.0.0.1", self.target))
        self.selector.register(near, selectors.EVENT_READ, far)
        self.selector.register(far, selectors.EVENT_READ, near)

    def forward(self, source, target):
        try:
            if octets := source.recv(1 << 16):
                return target and target.sendall(octets)
        except OSError:
            pass
        for end in (source, target):
            if end and end.fileno() >= 0:
                self.drop(end)

    def say(self, word):
        self.near.sendall(word)
        self.near.recv(1)

    def fall_silent(self):
        """What is open breaks; what is opened is never answered."""
        self.say(b"s")

    def plug_in(self):
        self.say(b"p")

    def stop(self):
        self.say(b"e")
        self.thread.join()
        for end in (self.listening, self.near, self.here):
            end.close()
