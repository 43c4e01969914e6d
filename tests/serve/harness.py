"""What the Python tests of this folder share: TAP, and the program under
test."""
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

import ws

os.environ.pop("MOSHI_TOKEN", None)
MOSHI = os.environ["MOSHI_BIN"]
EXAMPLES = os.environ["MOSHI_EXAMPLES"]
QUESTIONS = os.path.join(EXAMPLES, "questions.flac")
# Sanitizers make everything some ten times slower.
PATIENCE = 10 if os.environ.get("MOSHI_SANITIZED") else 1

_count = 0
_failed = 0


def check(ok, name):
    global _count, _failed
    _count += 1
    _failed += not ok
    print(f"{'ok' if ok else 'not ok'} {_count} - {name}", flush=True)
    return ok


def equal(got, wanted, name):
    if not check(got == wanted, name):
        print(f"# got {got!r}, wanted {wanted!r}", flush=True)


def finish():
    print(f"1..{_count}", flush=True)
    sys.exit(_failed > 0)


class Server:
    """moshi serve on a port of the kernel's choice. threads None: as many as
    it likes."""

    def __init__(self, *options, threads=1):
        self.log = tempfile.TemporaryFile("w+")
        if threads:
            options += ("--threads", str(threads))
        self.process = subprocess.Popen(
            [MOSHI, "serve", "--port", "0", *options],
            stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.process.stdout.readline()
        found = re.search(r":(\d+)$", line.strip())
        if not found:
            self.log.seek(0)
            raise RuntimeError(f"no server: {line}{self.log.read()}")
        self.port = int(found.group(1))
        self.url = line.strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.log.close()

    def stop(self, number=signal.SIGTERM):
        """Ask it to stop; its exit status."""
        self.process.send_signal(number)
        return self.process.wait(30 * PATIENCE)

    def rss_kb(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            for line in file:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1])
        return 0

    def wait_for(self, name, value, seconds=10):
        """Until this metric has (at least) this value; False when it has not
        in that time."""
        end = time.monotonic() + seconds * PATIENCE
        while time.monotonic() < end:
            if ws.metrics(self.port)[name] >= value:
                return True
            time.sleep(0.02)
        return False


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


def recorded_opus(path=QUESTIONS, seconds=None):
    """What `moshi client` sends for a recording: a list of messages. Our own
    client in front of a server that only listens."""
    listener, port = ws.listen()
    out = tempfile.mktemp(suffix=".wav")
    client = subprocess.Popen(
        [MOSHI, "client", f"ws://127.0.0.1:{port}", "--in", path, "--out", out,
         "--tail", "0.5", "--speed", "50", "--quiet"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    messages = []
    peer, _ = ws.accept(listener)
    with listener, peer:
        peer.send(b"\0")
        try:
            while seconds is None or len(messages) * 0.08 < seconds:
                # Nothing is answered; the client gives up after five seconds.
                peer.sock.settimeout(2 * PATIENCE)
                messages.append(peer.receive()[1])
        except (ws.Closed, TimeoutError):
            pass
    client.kill()
    client.wait()
    if os.path.exists(out):
        os.remove(out)
    return messages
