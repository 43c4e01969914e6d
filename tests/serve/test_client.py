"""Goal: `moshi client` speaks to every official server: it waits for the
handshake, sends sound and nothing else, understands what they send and passes
over the rest. Method: a server of a few lines that echoes, each time in the
manner of another official one."""
import array
import os
import subprocess
import tempfile
import threading
import wave

import ws
from harness import EXAMPLES, MOSHI, PATIENCE, check, equal, finish

HELLO = os.path.join(EXAMPLES, "hello.wav")


def echo(peer, handshake, style):
    """Send back what comes; (messages before the handshake, types seen,
    bytes)."""
    early = b""
    try:
        peer.sock.settimeout(0.3)
        early = peer.receive()[1]
    except TimeoutError:
        pass
    peer.sock.settimeout(20 * PATIENCE)
    if style == "rust":
        peer.send(b"\4" + b'{"text_temperature":0.7}')
    peer.send(handshake)
    types, stream, frames = set(), b"", 0
    try:
        while True:
            kind, message = peer.receive()
            types.add((kind, message[0]))
            stream += message[1:]
            frames += 1
            if style == "python":  # both pages of a frame in one message
                peer.send(message)
            elif style == "lm":  # text first, heads apart
                parts = list(ws.pages(message[1:]))
                if frames == 10:
                    peer.send(b"\2 good")
                    peer.send(b"\2 day")
                if frames == 1:
                    peer.send(b"\1" + parts[0] + parts[1])
                    parts = parts[2:]
                peer.send(b"\1" + b"".join(parts))
            else:  # a page a message, text and pings between them
                for page in ws.pages(message[1:]):
                    peer.send(b"\1" + page)
                for odd in (b"\6", b"", b"\xc8later", b"\3\1", b"\1"):
                    peer.send(odd)
                peer.send_frame(ws.TEXT, b"plain")
            if frames == 10 and style != "lm":
                peer.send(b"\2 good")
                peer.send(b"\7\3 day")
    except ws.Closed as end:
        return early, types, stream, end.code


def talk(style, handshake):
    listener, port = ws.listen()
    with tempfile.TemporaryDirectory() as folder, listener:
        out = os.path.join(folder, "out.wav")
        client = subprocess.Popen(
            [MOSHI, "client", f"ws://127.0.0.1:{port}/api/chat?x=1", "--in",
             HELLO, "--out", out, "--seed", "7", "--text-temp", "0.5",
             "--speed", "20", "--quiet"], stdout=subprocess.PIPE, text=True)
        peer, path = ws.accept(listener)
        with peer:
            early, types, stream, code = echo(peer, handshake, style)
        said = client.communicate()[0]
        equal(client.returncode, 0, f"{style}: the client is content")
        equal(path, "/api/chat?x=1&text_temperature=0.5&text_seed=7"
              f"&audio_seed={2 ** 64 - 1 - 7}", f"{style}: what it asks for")
        equal(early, b"", f"{style}: it waits for the handshake")
        equal(types, {(ws.BINARY, 1)}, f"{style}: it sends sound alone")
        equal(code, 1000, f"{style}: it closes in the right way")
        equal(said, " good day\n", f"{style}: the text is printed")
        all_pages = list(ws.pages(stream))
        check(b"OpusHead" in all_pages[0] and b"OpusTags" in all_pages[1],
              f"{style}: it begins with the header pages")
        equal([int.from_bytes(p[18:22], "little") for p in all_pages],
              list(range(len(all_pages))), f"{style}: pages are numbered")
        with wave.open(HELLO) as w, wave.open(out) as v:
            spoken = array.array("h", w.readframes(w.getnframes()))
            heard = array.array("h", v.readframes(v.getnframes()))
        equal(len(heard), len(all_pages[2:]) * 960,
              f"{style}: all that was echoed is in the file")
        # Opus looks ahead by 6.5 ms and may turn the phase of nothing.
        power = sum(x * x for x in heard) / sum(x * x for x in spoken)
        check(0.7 < power < 1.3, f"{style}: and is what was spoken")


def complaint(url, *options):
    """The exit status and the words of a call that fails."""
    client = subprocess.run(
        [MOSHI, "client", url, "--in", HELLO, "--out", os.devnull, *options],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return client.returncode, client.stderr


def ends():
    """A server that says why it hangs up, one that does not, and none."""
    for words, wanted in ((b"\5no seat left", "no seat left"), (b"", "ended")):
        listener, port = ws.listen()
        client = subprocess.Popen(
            [MOSHI, "client", f"ws://127.0.0.1:{port}", "--in", HELLO,
             "--out", os.devnull], stderr=subprocess.PIPE, text=True)
        peer, _ = ws.accept(listener)
        with listener, peer:
            if words:
                peer.send(words)
            peer.close(1013)
            said = client.communicate()[1]
        equal(client.returncode, 3, "a server that hangs up: exit status 3")
        check(wanted in said, f"and the reason is said: {wanted}")
    listener, port = ws.listen()
    listener.close()
    status, said = complaint(f"ws://127.0.0.1:{port}")
    equal(status, 3, "no server: exit status 3")
    check("cannot connect" in said and "hint: " in said, "and it says so")


def broken_off():
    """What was heard is kept when a server hangs up in the middle."""
    listener, port = ws.listen()
    with tempfile.TemporaryDirectory() as folder, listener:
        out = os.path.join(folder, "out.wav")
        text = os.path.join(folder, "out.txt")
        client = subprocess.Popen(
            [MOSHI, "client", f"ws://127.0.0.1:{port}", "--in", HELLO,
             "--out", out, "--text", text, "--speed", "20"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        peer, _ = ws.accept(listener)
        with peer:
            peer.send(b"\0")
            for _ in range(10):
                peer.send(peer.receive()[1])
            peer.send(b"\2 good")
            peer.send(b"\5enough")
            peer.close(1000)
            said = client.communicate()[1]
        equal(client.returncode, 3, "broken off: exit status 3")
        check("enough" in said and out in said,
              "it is said why, and where the beginning is")
        with wave.open(out) as file:
            equal(file.getnframes(), 10 * 1920, "the sound until then is kept")
        with open(text, encoding="utf-8") as file:
            equal(file.read(), " good\n", "and the words")


def refusals():
    """A server that answers over HTTP: what its number means is said."""
    def answer(listener, status):
        sock, _ = listener.accept()
        with sock:
            ws.read_head(sock)
            sock.sendall(f"HTTP/1.1 {status} No\r\nContent-Length: 3\r\n"
                         "\r\nno\n".encode())

    for status, options, words in (
            (400, [], "one of the values"),
            (401, [], "wants a token"),
            (401, ["--token", "guess"], "does not accept this token"),
            (403, [], "does not let"), (404, [], "/api/chat"),
            (503, [], "full or stopping")):
        listener, port = ws.listen()
        with listener:
            thread = threading.Thread(target=answer, args=(listener, status))
            thread.start()
            got, said = complaint(f"ws://127.0.0.1:{port}", *options)
            thread.join()
        equal(got, 3, f"refused with {status}: exit status 3")
        check(words in said and str(status) in said,
              f"and what it means: {said.splitlines()[0]}")


talk("python", b"\0")
talk("rust", b"\0" * 9)
talk("lm", b"\0" * 9)
ends()
broken_off()
refusals()
finish()
