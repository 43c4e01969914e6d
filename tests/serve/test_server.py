"""Goal: the server keeps to the protocol of /api/chat, and a client that does not
know how to behave harms nobody but itself. Method: connections made by hand, one
for each rule, beside one that behaves."""
import json
import re
import threading
import time

import ws
from harness import (PATIENCE, Server, check, closing, equal, finish,
                     recorded_opus)

SOUND = recorded_opus()
SEED = "text_seed=1&audio_seed=2"


def converse(port, messages, query=SEED, gap=0.0, heard=None):
    """A whole conversation of so many frames (one for each message unless
    given); (sound, text). An answer begins one frame late."""
    heard = heard or len(messages)
    with ws.connect(port, f"/api/chat?{query}", timeout=30 * PATIENCE) as peer:
        sound, text, frames = b"", b"", 0
        peer.until(0)

        def speak():
            for message in messages:
                peer.send(message)
                time.sleep(gap)

        thread = threading.Thread(target=speak)
        thread.start()
        while frames < heard - 1:
            _, message = peer.receive()
            if message[0] == 1:
                sound += message[1:]
                frames += 1
            elif message[0] == 2:
                text += message[1:]
        thread.join()
        peer.close()
        return sound, text.decode()


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
        equal([about[key] for key in ("pad_mult", "repetition_penalty_context",
                                      "repetition_penalty")], [0, 32, 1],
              "with the official values of what was not asked for")
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


def dialects(server):
    """Official clients cut the same stream into messages in their own ways."""
    wanted = converse(server.port, SOUND[:20])
    parts = [list(ws.pages(m[1:])) for m in SOUND[:20]]
    alone = [b"\1" + page for frame in parts for page in frame]
    head = [alone[0], alone[1], b"\1" + b"".join(parts[0][2:])] + SOUND[1:20]
    # client_gradio sends a message for every 20 ms, most of them empty.
    empty = [m for page in alone for m in (page, b"\1", b"\1")]
    # Control messages as the terminal client sends them, a rating, an image.
    odd = [b"\3\0", b"\3\1", b"\x0a\4", b"\x08\x89PNG"]
    chatty = [m for page in SOUND[:20] for m in (*odd, page)]
    for name, messages in (("moshi-cli, a page a message", alone),
                           ("the web client, heads apart", head),
                           ("client_gradio, empty ones between", empty),
                           ("others, with types of their own", chatty)):
        equal(converse(server.port, messages, heard=20) == wanted, True,
              f"it hears {name}")


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


with Server("--sessions", "4", "--speed-max", "20") as main:
    greeting(main)
    dialects(main)
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
finish()
