"""Goal: a server whose GPU is lost tells everybody so and ends with exit status 4,
and one whose GPU is full refuses who comes, while the others go on. Method:
lavapipe, and a loader in front of it that goes wrong once a file is there
(fake_loader.c)."""
import os
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "serve"))
import ws  # noqa: E402
from harness import (MOSHI, PATIENCE, Server, check, closing, equal,  # noqa: E402
                     finish, recorded_opus)

LOST = "was lost while running a frame (VK_ERROR_DEVICE_LOST)"


def skip(reason):
    print(f"1..0 # SKIP {reason}")
    sys.exit(0)


def serve(model, fault):
    os.environ["FAKE_VULKAN"] = fault
    os.environ["MOSHI_VULKAN_LIBRARY"] = os.environ["FAKE_LOADER"]
    return Server("-m", model, "--device", "vulkan", "--sessions", "3")


def join(server):
    peer = ws.connect(server.port, "/api/chat", timeout=60 * PATIENCE)
    peer.until(0)
    return peer


def speak(peer, messages):
    """To a server that may go in the middle of it."""
    try:
        for message in messages:
            peer.send(message)
    except OSError:
        pass


def heard(peer, frames):
    """So many frames of sound."""
    while frames > 0:
        frames -= peer.receive()[1][0] == 1
    return True


def lines(server):
    server.log.seek(0)
    return server.log.read().splitlines()


def lost(model, sound, file):
    """The device goes while two are talking."""
    with serve(model, "lost-when=" + file) as server:
        peers = [join(server), join(server)]
        for peer in peers:
            for message in sound[:20]:
                peer.send(message)
        check(all(heard(peer, 3) for peer in peers), "both are answered")
        open(file, "w").close()
        speak(peers[0], sound[20:25])
        for peer in peers:
            said, code = closing(peer)
            check(LOST in said and said.startswith("the server must stop"),
                  "a visitor is told why")
            equal(code, 1011, "and the conversation is closed")
        equal(server.process.wait(30 * PATIENCE), 4, "the server ends")
        last = lines(server)[-2:]
        check(last[0].startswith("moshi: the GPU ") and last[0].endswith(LOST),
              "with one line that says why")
        check(last[1].startswith("hint: start again"), "and what to do")
        for peer in peers:
            peer.sock.close()


def says_so(model, sound, file):
    """As long as it has farewells to say, it says so to who watches it."""
    with serve(model, "lost-when=" + file) as server:
        peer = join(server)
        equal(ws.request(server.port, "/healthz")[0], 200, "a healthy server")
        open(file, "w").close()
        speak(peer, sound[:5])
        while peer.receive()[1][0] != 5:
            pass
        # It does not answer the closing: the server waits for a moment.
        for path in ("/healthz", "/readyz"):
            status, _, body = ws.request(server.port, path)
            equal(status, 503, f"{path} of one whose GPU was lost")
            check(LOST.encode() in body, "and says why")
        equal(server.process.wait(30 * PATIENCE), 4, "it ends all the same")
        peer.sock.close()


def at_the_door(model, file):
    """The device goes while nobody talks: who comes next finds out."""
    with serve(model, "lost-when=" + file) as server:
        open(file, "w").close()
        said = closing(ws.connect(server.port, "/api/chat",
                                  timeout=30 * PATIENCE))[0]
        check("was lost while" in said, "who comes is told why")
        equal(server.process.wait(30 * PATIENCE), 4, "the server ends")


def full(model, sound, file):
    """The device has no room for one more conversation."""
    with serve(model, "full-when=" + file) as server:
        peer = join(server)
        open(file, "w").close()
        said, code = closing(ws.connect(server.port, "/api/chat",
                                        timeout=30 * PATIENCE))
        check("no memory for another conversation" in said,
              "who comes is told so")
        equal(code, 1013, "and may try again")
        for message in sound[:20]:
            peer.send(message)
        check(heard(peer, 5), "the other one is answered")
        equal(ws.request(server.port, "/healthz")[0], 200, "the server is well")
        counted = ws.metrics(server.port)
        equal(counted['refused_total{reason="memory"}'], 1,
              "the refusal is counted")
        os.remove(file)
        with join(server) as third:
            for message in sound[:20]:
                third.send(message)
            check(heard(third, 3), "with room again, there is one more")
        for message in sound[20:40]:
            peer.send(message)
        check(heard(peer, 5), "and the first one goes on")
        peer.sock.close()
        equal(server.stop(signal.SIGTERM), 0, "it stops as always")
        check(any("refused: the GPU" in line and "has no room for the state"
                  in line for line in lines(server)), "the log has the reason")


def main():
    devices = subprocess.run([MOSHI, "devices"], capture_output=True,
                             text=True, check=False).stdout
    if "vulkan:0" not in devices:
        skip("no Vulkan device here")
    with tempfile.TemporaryDirectory() as folder:
        model = os.path.join(folder, "tiny")
        subprocess.run([MOSHI, "synth", "tiny", model], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        sound = recorded_opus(seconds=5)
        for i, test in enumerate((lost, says_so, full)):
            test(model, sound, os.path.join(folder, f"fault{i}"))
        at_the_door(model, os.path.join(folder, "fault"))
    finish()


main()
