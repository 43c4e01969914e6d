"""Goal: the server keeps to the protocol of /api/chat, its limits hold, and a
client that does not know how to behave harms nobody but itself. Method:
connections made by hand, one for each rule, beside one that behaves."""
import json
import re
import socket
import threading
import time

import ws
from harness import PATIENCE, Server, check, equal, finish, recorded_opus

SOUND = recorded_opus()
SEED = "text_seed=1&audio_seed=2"


def converse(port, messages, query=SEED, gap=0.0):
    """A whole conversation; (sound, text). An answer begins one frame late."""
    with ws.connect(port, f"/api/chat?{query}", timeout=30 * PATIENCE) as peer:
        sound, text, frames = b"", b"", 0
        peer.until(0)

        def speak():
            for message in messages:
                peer.send(message)
                time.sleep(gap)

        thread = threading.Thread(target=speak)
        thread.start()
        while frames < len(messages) - 1:
            _, message = peer.receive()
            if message[0] == 1:
                sound += message[1:]
                frames += 1
            elif message[0] == 2:
                text += message[1:]
        thread.join()
        peer.close()
        return sound, text.decode()


def closing(peer):
    """What the server says before it closes, and with which code."""
    said = ""
    try:
        while True:
            _, message = peer.receive()
            if message and message[0] == 5:
                said = message[1:].decode()
    except ws.Closed as end:
        return said, end.code


def greeting(server):
    with ws.connect(server.port, f"/api/chat?{SEED}&unknown=x%26y%3D%25+") as peer:
        kind, first = peer.receive()
        equal((kind, first[0]), (ws.BINARY, 4), "metadata comes first")
        about = json.loads(first[1:])
        for key, kind in (("text_temperature", (int, float)),
                          ("text_topk", int),
                          ("audio_temperature", (int, float)),
                          ("audio_topk", int), ("pad_mult", (int, float)),
                          ("repetition_penalty_context", int),
                          ("repetition_penalty", (int, float)),
                          ("lm_model_file", str), ("mimi_model_file", str),
                          ("instance_name", str), ("build_info", dict)):
            check(isinstance(about.get(key), kind), f"it has {key}")
        equal(sorted(about["build_info"]), sorted(
            ["build_timestamp", "build_date", "git_branch", "git_timestamp",
             "git_date", "git_hash", "git_describe", "rustc_host_triple",
             "rustc_version", "cargo_target_triple"]), "and all of build_info")
        equal(peer.receive(), (ws.BINARY, b"\0" * 9), "then the handshake")
        for message in SOUND[:4]:
            peer.send(message)
        first = peer.until(1)
        parts = list(ws.pages(first))
        equal(len(parts), 4, "the first sound has the header pages in front")
        check(b"OpusHead" in parts[0] and b"OpusTags" in parts[1],
              "and they are those")
        equal(len(list(ws.pages(peer.until(1)))), 2,
              "then two pages a message")


def pages(server):
    status, head, body = ws.request(server.port, "/")
    equal(status, 200, "there is a page")
    policy = re.search(r"content-security-policy: (.*)", head)
    check(policy and "default-src 'none'" in policy.group(1) and
          "http" not in policy.group(1), "it may ask for nothing from outside")
    check("nosniff" in head and "referrer-policy" in head,
          "and has the other headers")
    check(b"<html" in body, "and it is one")
    equal(ws.request(server.port, "/", "HEAD")[2], b"", "HEAD has no body")
    equal(ws.request(server.port, "/../../etc/passwd")[0] in (400, 403, 404),
          True, "nothing but the pages is served")
    equal(ws.request(server.port, "/nothing")[0], 404, "unknown pages")
    equal(ws.request(server.port, "/", "POST", ["Content-Length: 0"])[0], 405,
          "POST is not known")
    equal(ws.request(server.port, "/api/chat")[0], 426, "chat wants a socket")
    equal(ws.request(server.port, "/healthz")[2], b"ok\n", "healthz")
    equal(ws.request(server.port, "/readyz")[2], b"ready\n", "readyz")


def refusals(server):
    origin = "Origin: http://evil.example"
    for name, status, path, headers, host in (
            ("a wrong number", 400, "/api/chat?text_topk=many", [], None),
            ("another path", 404, "/api/chatter", [], None),
            ("a page from elsewhere", 403, "/api/chat", [origin], None),
            ("a name that is not ours", 403, "/api/chat", [origin],
             "evil.example"),
            ("a long line", None, "/api/chat?" + "x" * 20000, [], None)):
        try:
            ws.connect(server.port, path, headers, host).sock.close()
            got = 101
        except ws.Refused as refused:
            got = refused.status
        except (ws.Closed, OSError):
            got = None
        check(got == status or (status is None and got != 101),
              f"refused: {name} ({got})")
    own = f"Origin: http://127.0.0.1:{server.port}"
    with ws.connect(server.port, headers=[own]) as peer:
        check(peer.until(0) is not None, "its own page may come in")


def rude(server, wanted):
    """Each beside a conversation that must not change."""
    def beside(name, act, code=None, words=None):
        result = []
        other = threading.Thread(target=lambda: result.append(
            converse(server.port, SOUND[:40], gap=0.01)))
        other.start()
        with ws.connect(server.port) as peer:
            peer.until(0)
            try:
                act(peer)
                if code:
                    said, got = closing(peer)
                    equal(got, code, f"{name}: closed with {code}")
                    check(words in said, f"{name}: and told why ({said})")
            except OSError as error:
                check(code is not None, f"{name}: cut off ({error})")
        other.join()
        check(result and result[0] == wanted,
              f"{name}: nobody else notices")

    def unknown(peer):
        for message in (b"", b"\0", b"\2text", b"\6", b"\xff" * 9, b"\1",
                        b"\3\0", b"\4{}", b"\x0a\1"):
            peer.send(message)
        peer.send_frame(ws.TEXT, b"hello")
        peer.send_frame(ws.PING, b"\xff")
        for message in SOUND[:3]:
            peer.send(message)
        check(len(peer.until(1)) > 100, "what is unknown is passed over")

    def pieces(peer):
        """One stream, cut anywhere, in messages and in frames."""
        stream = b"".join(m[1:] for m in SOUND[:6])
        for at in range(0, len(stream), 101):
            part = b"\1" + stream[at:at + 101]
            peer.send_frame(ws.BINARY, part[:3], False)
            peer.send_frame(0, part[3:])
        for _ in range(5):
            peer.until(1)
        check(True, "a stream may be cut anywhere")

    def garbage(peer):
        for message in SOUND[:3]:
            peer.send(b"\1" + bytes(b ^ 0x55 for b in message[1:]))
            peer.send(b"\1OggS" + b"\0" * 40)
            peer.send(message[:-9] + b"\0" * 9)
        for message in SOUND[:3]:
            peer.send(message)
        check(len(peer.until(1)) > 100, "garbage is passed over")

    def flood(peer):
        for _ in range(20000):
            peer.send(b"\6")

    beside("unknown messages", unknown)
    beside("pieces", pieces)
    beside("garbage", garbage)
    beside("a long message", lambda p: p.send(b"\1" + b"x" * 70000), 1009,
           "too long")
    beside("a flood", flood, 1008, "too many")
    beside("an unmasked frame", lambda p: p.sock.sendall(b"\x82\x01x"))
    beside("a cut line", lambda p: p.sock.sendall(b"\x82\xff\0\0"))
    check(server.wait_for("ended_total{reason=\"client\"}", 8),
          "and all of them are gone")


def limits(messages):
    with Server("--sessions", "1", "--idle-seconds", "1",
                "--session-seconds", "4", "--token", "s3cret") as server:
        wants, wrong = b"this server wants a token\n", b"this is not the token"
        for path, headers, words in (
                ("/api/chat", [], wants),
                ("/api/chat?token=guess", [], wrong),
                ("/api/chat", ["Authorization: Bearer x"], wrong)):
            try:
                ws.connect(server.port, path, headers).sock.close()
                check(False, "a token is wanted")
            except ws.Refused as refused:
                equal(refused.status, 401, "a token is wanted")
                check("www-authenticate: Bearer" in refused.head.lower() or
                      "www-authenticate: bearer" in refused.head.lower(),
                      "in the way of HTTP")
            for where in (path, path.replace("/api/chat", "/metrics")):
                status, _, body = ws.request(server.port, where, "GET",
                                             headers)
                check(status == 401 and body.startswith(words),
                      f"{where}: it is said why: {body}")
        bearer = ["Authorization: Bearer s3cret"]
        for where, headers in (("/metrics?token=s3cret", []),
                               ("/metrics", bearer)):
            check(b"moshi_frames_total 0" in
                  ws.request(server.port, where, "GET", headers)[2],
                  f"who knows it reads {where}")
        for where in ("/", "/healthz", "/readyz"):
            equal(ws.request(server.port, where)[0], 200,
                  f"everybody may read {where}")
        equal(ws.request(server.port, "/api/chat?token=s3cret")[0], 426,
              "a plain request tells that nothing is wrong")
        with ws.connect(server.port, "/api/chat", bearer) as peer:
            peer.until(0)
            equal(ws.request(server.port, "/readyz")[2], b"full\n",
                  "readyz tells that it is full")
            equal(ws.request(server.port, "/api/chat?token=s3cret")[::2],
                  (503, b"the server is full\n"), "and so does chat")
            with ws.connect(server.port, "/api/chat?token=s3cret") as second:
                said, code = closing(second)
                equal(code, 1013, "full: come again later")
                check("full" in said, "and it is said")
            said, code = closing(peer)
            check("nothing was heard" in said, f"idle: {said}")
        with ws.connect(server.port, "/api/chat?token=s3cret&max_steps=3") \
                as peer:
            peer.until(0)
            for message in messages[:10]:
                peer.send(message)
            said, code = closing(peer)
            equal(code, 1000, "no more steps than were asked for")
        with ws.connect(server.port, "/api/chat?token=s3cret") as peer:
            peer.until(0)
            start = time.monotonic()

            def speak():
                try:
                    for message in messages:
                        peer.send(message)
                        time.sleep(0.08)
                except OSError:
                    pass

            thread = threading.Thread(target=speak)
            thread.start()
            said, code = closing(peer)
            check("greatest length" in said and
                  3.5 < time.monotonic() - start < 10,
                  "no conversation is longer than allowed")
            thread.join()


def stalled():
    """One who speaks and never listens: no memory, no delay, and the end."""
    with Server("--stall-seconds", "1", "--speed-max", "0",
                "--idle-seconds", "5") as server:
        peer = ws.connect(server.port)
        with peer:
            peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            peer.sock.settimeout(2 * PATIENCE)
            peer.until(0)
            try:
                while True:  # the same recording again and again
                    for message in SOUND:
                        peer.send(message)
            except OSError:
                pass
            check(server.wait_for("ended_total{reason=\"stalled\"}", 1),
                  "who does not listen is cut off")
            check(ws.metrics(server.port)["pauses_total"] >= 1,
                  "and was not read from before")


def half_open():
    """Connections that say nothing, or half of what they should, keep nobody
    out, and none of them stays."""
    with Server("--sessions", "1", "--idle-seconds", "2") as server:
        whole = ws.handshake(server.port)
        begun = time.monotonic()
        crowd = [ws.half_open(server.port, whole[:i % 2 * i % len(whole)])
                 for i in range(300)]
        with ws.connect(server.port) as peer:
            peer.until(0)
            took = time.monotonic() - begun
            check(took < 8, f"they keep nobody out: {took:.1f} s")
            check(ws.is_closed(crowd[0], 5), "the oldest of too many goes")
            # A conversation that says half a message, and then nothing.
            peer.sock.sendall(b"\x82\xfe\x10\x00\0\0\0\0\1OggS")
            said, code = closing(peer)
            equal((said, code), ("nothing was heard for too long", 1008),
                  "half a message is none")
        check(all(ws.is_closed(sock, 15 * PATIENCE) for sock in crowd),
              "in the end all are gone")
        for sock in crowd:
            sock.close()
        equal(ws.metrics(server.port)["connections"], 0,
              "and none is counted as a connection")


def stopping():
    with Server("--grace-seconds", "30") as server:
        with ws.connect(server.port) as peer:
            peer.until(0)
            server.process.terminate()
            time.sleep(0.3)
            equal(ws.request(server.port, "/readyz")[2], b"stopping\n",
                  "a server that stops says so")
            try:
                ws.connect(server.port).sock.close()
                check(False, "nobody new is let in")
            except ws.Refused as refused:
                equal(refused.status, 503, "nobody new is let in")
            for message in SOUND[:3]:
                peer.send(message)
            check(len(peer.until(1)) > 100, "who is there goes on")
            equal(ws.request(server.port, "/api/chat")[::2],
                  (503, b"the server is stopping\n"), "and others are told")
            peer.close()
        equal(server.process.wait(10 * PATIENCE), 0,
              "and it ends when the last has left")
    with Server("--grace-seconds", "0.2") as server:
        with ws.connect(server.port) as peer:
            peer.until(0)
            server.process.terminate()
            said, code = closing(peer)
            equal(code, 1001, "after the time of grace they are sent away")
            check("stopping" in said, "and told why")
        equal(server.process.wait(10 * PATIENCE), 0, "then it ends")


with Server("--sessions", "4", "--speed-max", "20") as main:
    greeting(main)
    pages(main)
    refusals(main)
    alone = converse(main.port, SOUND[:40])
    whole = converse(main.port, SOUND)
    with open(f"{__import__('harness').EXAMPLES}/answers.txt") as file:
        answers = " ".join(file.read().split("\n")).strip()
    equal(whole[1].strip(), answers, "it answers the questions")
    check(whole[0].startswith(alone[0]), "the same sound again")
    rude(main, alone)
    values = ws.metrics(main.port)
    check(values["bytes_total{direction=\"in\"}"] > 100000 and
          values["damaged_total"] > 0 and
          values["messages_ignored_total"] >= 9, "what happened is counted")
    equal(main.stop(), 0, "it stops when asked to")
limits(SOUND)
stalled()
half_open()
stopping()
finish()
