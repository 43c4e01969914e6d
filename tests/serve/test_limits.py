"""Goal: the limits of the server hold, whoever meets one is told, and a server that
is asked to stop ends in good order. Method: a server with small limits, and
clients that go beyond each."""
import socket
import threading
import time

import ws
from harness import (PATIENCE, Server, check, closing, equal, finish,
                     recorded_opus)

SOUND = recorded_opus()


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
    with Server("--sessions", "2", "--idle-seconds", "6") as server:
        whole = ws.handshake(server.port)
        quiet = ws.connect(server.port)
        quiet.until(0)
        quiet_at = time.monotonic()
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
            with quiet:
                # Official pages hang up after ten seconds without a message.
                equal(quiet.receive(), (ws.BINARY, b"\6"),
                      "who is not answered is told that the server is there")
                check(time.monotonic() - quiet_at < 10, "in time")
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
    with Server("--grace-seconds", "60") as server:
        with ws.connect(server.port) as peer:
            peer.until(0)
            server.process.terminate()
            time.sleep(0.3)
            server.process.terminate()
            said, code = closing(peer)
            equal((said, code), ("the server is stopping", 1001),
                  "asked twice, it sends all away at once, with a word")
        equal(server.process.wait(10 * PATIENCE), 0, "and ends")
    with Server("--grace-seconds", "0.2") as server:
        with ws.connect(server.port) as peer:
            peer.until(0)
            server.process.terminate()
            said, code = closing(peer)
            equal(code, 1001, "after the time of grace they are sent away")
            check("stopping" in said, "and told why")
        equal(server.process.wait(10 * PATIENCE), 0, "then it ends")


limits(SOUND)
stalled()
half_open()
stopping()
finish()
