"""The control socket spoken to directly: whatever comes, one answer per line or an end, and the server goes on."""
import contextlib
import json
import os
import pathlib
import socket
import subprocess

import pytest

import harness

LINE_MAX = 1024 * 1024


@pytest.fixture(scope="module")
def server():
    made = harness.Server().start()
    yield made
    assert made.json("clock", "show")["stopped"] is False, "still there after all of this"
    made.remove()


class Control:
    def __init__(self, server):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(os.path.join(server.state, "control"))
        self.socket.settimeout(60)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def send(self, line):
        self.socket.sendall(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n")

    def answer(self):
        return json.loads(self.file.readline())

    def leave(self):
        """Go, and come back when the server has seen it."""
        self.socket.shutdown(socket.SHUT_WR)
        assert self.file.read() == b""


REFUSED = [
    ("garbage", b"\x00\x01\xfe\xff what\n", "not JSON"),
    ("text", b"hello\n", "not JSON"),
    ("cut short", b'{"verb": "clock.show"\n', "not JSON"),
    ("two objects", b'{"verb": "clock.show"} {}\n', "not JSON"),
    ("a name twice", b'{"verb": "clock.show", "verb": "clock.show"}\n', "not JSON"),
    ("not UTF-8", b'{"verb": "\xff"}\n', "not JSON"),
    ("very deep", b"[" * 100000 + b"\n", "not JSON"),
    ("an array", b"[]\n", 'no "verb"'),
    ("nothing in it", b"{}\n", 'no "verb"'),
    ("verb is a number", b'{"verb": 7}\n', 'no "verb"'),
    ("verb is null", b'{"verb": null}\n', 'no "verb"'),
    ("unknown verb", b'{"verb": "ca.destroy"}\n', "there is no verb 'ca.destroy'"),
    ("empty verb", b'{"verb": ""}\n', "there is no verb ''"),
    ("long verb", b'{"verb": "' + b"x" * 100000 + b'"}\n', "there is no verb 'xxx"),
    ("arguments in a list", b'{"verb": "clock.show", "args": []}\n', '"args" is not an object'),
    ("argument missing", b'{"verb": "ca.publish"}\n', "ca.publish needs the text 'template'"),
    ("argument of another type", b'{"verb": "ca.publish", "args": {"template": 1}}\n', "ca.publish needs the text 'template'"),
    ("number as text", b'{"verb": "request.show", "args": {"id": "1"}}\n', "request.show needs the number 'id'"),
    ("number too large", b'{"verb": "request.show", "args": {"id": 4294967296}}\n', "request.show needs the number 'id'"),
    ("number negative", b'{"verb": "request.show", "args": {"id": -1}}\n', "request.show needs the number 'id'"),
    ("real number", b'{"verb": "clock.advance", "args": {"seconds": 1.5}}\n', "clock.advance needs the number 'seconds'"),
    ("a thousand years", b'{"verb": "clock.advance", "args": {"seconds": 31622400000}}\n', "clock.advance needs the number"),
    ("rights that are none", b'{"verb": "ca.acl.grant", "args": {"principal": "DA", "rights": ["x"]}}\n', "x"),
    ("rights of another type", b'{"verb": "ca.acl.grant", "args": {"principal": "DA", "rights": [1]}}\n', ""),
    ("no principal", b'{"verb": "ca.acl.grant", "args": {"principal": "no SID", "rights": ["Read"]}}\n', ""),
]


@pytest.mark.parametrize("line,said", [(line, said) for _, line, said in REFUSED], ids=[name for name, _, _ in REFUSED])
def test_refused_lines(server, line, said):
    with Control(server) as c:
        c.send(line)
        refused = c.answer()
        assert refused["ok"] is False and said in refused["error"]["message"] and "result" not in refused
        assert refused["error"]["name"] == "E_INVALIDARG" and refused["error"]["hr"] == "0x80070057"
        c.send({"id": 1, "verb": "clock.show"})  # the connection goes on
        assert c.answer()["ok"] is True


def test_id_comes_back(server):
    with Control(server) as c:
        for known in (7, "seven", None, [1, {"a": 2}], 1.5, False):
            c.send({"id": known, "verb": "clock.show"})
            assert c.answer()["id"] == known
            c.send({"id": known, "verb": "nonsense"})
            assert c.answer()["id"] == known
        c.send({"verb": "clock.show"})
        assert c.answer()["id"] is None


def test_many_lines_at_once(server):
    with Control(server) as c:
        c.send(b"".join(json.dumps({"id": i, "verb": ("clock.show", "ca.show", "server.show", "x")[i % 4]}).encode() + b"\n"
                        for i in range(400)))
        answers = [c.answer() for _ in range(400)]
    assert sorted(a["id"] for a in answers) == list(range(400))
    assert all(a["ok"] == (a["id"] % 4 != 3) for a in answers)


def test_a_line_in_pieces(server):
    with Control(server) as c:
        for octet in b'\n\n{"id": 1, "verb": "clock.show"}\n\n':
            c.send(bytes([octet]))
        assert c.answer()["ok"] is True


def test_the_longest_line(server):
    """A line of the maximum is read, one octet more ends the connection."""
    filler = b'{"verb": "clock.show", "args": {"x": "%s"}}\n'
    with Control(server) as c:
        c.send(filler % (b"x" * (LINE_MAX - 1 - len(filler % b""))))
        assert c.answer()["ok"] is True
    with Control(server) as c:
        try:
            c.send(b"x" * (LINE_MAX + 1))
            c.send(b"\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            assert c.file.readline() == b""
        except ConnectionResetError:
            pass
    assert "a line longer than" in server.log()


def test_gone_before_the_answer(server):
    for _ in range(50):
        with Control(server) as c:
            c.send(b'{"verb": "ca.show"}\n{"verb": "request.list"}\n{"verb": "ca.acl.grant", "args": '
                   b'{"principal": "DA", "rights": ["Read"]}}\n{"verb": ')
    with Control(server) as c:  # changes are stored in their order: when this one is answered, the others are over
        c.send({"verb": "ca.acl.remove", "args": {"principal": "DA", "rights": ["Read"]}})
        assert c.answer()["ok"] is True


def test_too_many_clients(fresh):
    """
    A server of its own: one that left before its answer counts until its verbs have ended. Here each client waits for its answer,
    so the server has seen every client that left before it counts the next one.
    """
    server, held = fresh(), []
    try:
        for _ in range(64):
            held.append(Control(server))
            held[-1].send({"verb": "clock.show"})
            assert held[-1].answer()["ok"] is True
        for _ in range(6):
            with Control(server) as refused, contextlib.suppress(BrokenPipeError, ConnectionResetError):
                refused.send({"verb": "clock.show"})
                assert refused.file.readline() == b""
        for c in held:
            c.leave()
    finally:
        for c in held:
            c.__exit__()
    with Control(server) as c:
        c.send({"verb": "clock.show"})
        assert c.answer()["ok"] is True


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")
def test_another_user_is_refused(server):
    """First the files keep it out, and where somebody opened those, SO_PEERCRED."""
    command = ["setpriv", "--reuid", "12345", "--regid", "12345", "--clear-groups", str(harness.BUILD / "adcsctl"), "--state",
               server.state, "clock", "show"]
    before = {path: path.stat().st_mode for path in (pathlib.Path(server.state), pathlib.Path(server.state, "control"))}
    assert all(mode & 0o077 == 0 for mode in before.values())
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and "Permission denied" in done.stderr
    try:
        for path in before:
            path.chmod(0o777)
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    finally:
        for path, mode in before.items():
            path.chmod(mode & 0o777)
    assert done.returncode == 1 and done.stdout == "" and "the server closed the connection" in done.stderr
    assert "uid 12345 refused: neither root nor the server's user" in server.log()
