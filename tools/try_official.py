"""Our server with the official Python client, and our client with the official
Python server: their own code handles the messages, with a recording in the
place of their sound device and an echo in the place of their model.

    python3 -m venv venv
    venv/bin/pip install --no-deps moshi
    venv/bin/pip install aiohttp numpy sphn
    venv/bin/python tools/try_official.py build/src/cli/moshi

Says what it saw, and exits 1 if something is not as it should be. By hand: it
needs packages from the Python registry.
"""
import argparse
import asyncio
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import types
import wave

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLES = os.path.join(HERE, "..", "examples")
FRAME = 1920
failed = False


def check(ok, what):
    global failed
    failed |= not ok
    print(f"{'ok  ' if ok else 'FAIL'} {what}", flush=True)


class Anything(types.ModuleType):
    """A module that has whatever is asked for: for imports of what is not used
    here (torch and the models)."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


class Imported(Exception):
    """Raised where a module would begin to run as a program."""


class NoGrad:
    def __enter__(self):
        raise Imported

    def __exit__(self, *_):
        pass


def import_official(name):
    """One file of the package, without the package's own imports."""
    if not isinstance(sys.modules.get("moshi"), Anything):
        spec = importlib.util.find_spec("moshi")
        package = Anything("moshi")
        package.__path__ = [spec.submodule_search_locations[0]]
        sys.modules["moshi"] = package
    for fake in ("torch", "sentencepiece", "huggingface_hub", "moshi.models",
                 "moshi.run_inference"):
        sys.modules.setdefault(fake, Anything(fake))
    sys.modules["torch"].no_grad = NoGrad
    spec = importlib.util.find_spec("moshi." + name)
    module = importlib.util.module_from_spec(spec)
    sys.modules["moshi." + name] = module
    try:
        spec.loader.exec_module(module)
    except Imported:
        pass  # the server's file starts it at its end, come what may
    return module


# --- their client, our server ---

class Recording:
    """Stands in for sounddevice: blocks of a recording in real time, and what
    is to be played is kept."""

    def __init__(self, pcm):
        self.pcm, self.played, self.speed = pcm, [], 1.0
        self.done = threading.Event()

    def InputStream(self, callback, blocksize, **_):
        return Stream(self, lambda: self.feed(callback, blocksize))

    def OutputStream(self, callback, blocksize, **_):
        return Stream(self, lambda: self.drain(callback, blocksize))

    def feed(self, callback, size):
        begun = time.monotonic()
        for i in range(0, len(self.pcm) - size + 1, size):
            callback(self.pcm[i:i + size, None], size, None, None)
            next_at = begun + (i + size) / 24000 / self.speed
            time.sleep(max(0, next_at - time.monotonic()))
        self.done.set()

    def drain(self, callback, size):
        # One frame behind the microphone, as a sound card would be.
        time.sleep(0.25)
        begun, n = time.monotonic(), 0
        while not self.done.is_set():
            block = np.zeros((size, 1), np.float32)
            callback(block, size, None, None)
            self.played.append(block[:, 0].copy())
            n += 1
            next_at = begun + n * size / 24000 / self.speed
            time.sleep(max(0, next_at - time.monotonic()))


class Stream:
    def __init__(self, owner, run):
        self.thread = threading.Thread(target=run, daemon=True)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        pass


class Printer:
    def __init__(self):
        self.text, self.logs, self.lags = "", [], 0

    def print_token(self, token):
        self.text += token

    def log(self, level, message):
        self.logs.append((level, message))

    def print_lag(self):
        self.lags += 1

    def print_header(self):
        pass

    def print_pending(self):
        pass


def flac(path):
    """A recording as floats, by way of our own program's codec tools."""
    import shutil
    out = tempfile.mktemp(suffix=".wav")
    if shutil.which("sox"):
        subprocess.run(["sox", path, "-b", "16", out], check=True)
    else:
        import sphn
        return sphn.read(path)[0][0].astype(np.float32)
    with wave.open(out) as w:
        pcm = np.frombuffer(w.readframes(w.getnframes()), "<i2")
    os.remove(out)
    return pcm.astype(np.float32) / 32768


async def talk(client, url, recording, printer):
    import aiohttp
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url) as socket:
            connection = client.Connection(
                printer, socket, event_loop=asyncio.get_running_loop())
            task = asyncio.create_task(connection.run())
            while not recording.done.is_set():
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.3)
            task.cancel()


def their_client(moshi):
    recording = Recording(flac(os.path.join(EXAMPLES, "questions.flac")))
    sys.modules["sounddevice"] = types.ModuleType("sounddevice")
    sys.modules["sounddevice"].InputStream = recording.InputStream
    sys.modules["sounddevice"].OutputStream = recording.OutputStream
    client = import_official("client")
    printer = Printer()
    server = subprocess.Popen([moshi, "serve", "--port", "0", "--threads",
                               "1"], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)
    try:
        url = server.stdout.readline().strip().replace("http", "ws", 1)
        asyncio.run(talk(client, url + "/api/chat", recording, printer))
    finally:
        server.terminate()
        server.wait()
    with open(os.path.join(EXAMPLES, "answers.txt"), encoding="utf-8") as file:
        answers = " ".join(file.read().split("\n")).strip()
    played = np.concatenate(recording.played)
    loud = np.sqrt(np.mean(played ** 2))
    check(printer.text.strip() == answers,
          f"official client: it is answered: {printer.text.strip()}")
    check(loud > 0.01, f"official client: sound came back, rms {loud:.3f}")
    check(printer.lags <= 4, f"official client: {printer.lags} blocks of "
          f"{len(recording.played)} were not there in time")
    odd = [m for level, m in printer.logs if level == "error"]
    check(not odd, f"official client: no error {odd}")


# --- their server, our client ---

class Tensor(np.ndarray):
    """As much of a tensor as the server's loop asks for."""

    def to(self, **_):
        return self

    def cpu(self):
        return self

    def numpy(self):
        return np.asarray(self)

    def item(self):
        return int(np.asarray(self).reshape(-1)[0])


class Echo:
    """Codec and model in one: a frame's samples are its 'codes', spoken one
    step late, with a word every twelfth step."""

    sample_rate, frame_rate = 24000, 12.5

    def __init__(self):
        self.steps, self.last = 0, None
        self.lm_model = types.SimpleNamespace(dep_q=FRAME)

    def reset_streaming(self):
        pass

    def encode(self, chunk):  # [1, 1, FRAME] -> [1, FRAME, 1]
        return np.asarray(chunk).reshape(1, FRAME, 1).view(Tensor)

    def step(self, codes):
        before, self.last = self.last, np.asarray(codes)
        self.steps += 1
        if before is None:
            return None
        word = 7 if self.steps % 12 == 0 else 3
        text = np.full((1, 1, 1), word, np.float32)
        return np.concatenate((text, before), axis=1).view(Tensor)

    def decode(self, codes):  # [1, FRAME, 1] -> [1, 1, FRAME]
        pcm = np.ascontiguousarray(np.asarray(codes).reshape(1, 1, FRAME))
        return pcm.astype(np.float32).view(Tensor)

    def id_to_piece(self, _):
        return "▁word"


def their_server(moshi):
    from aiohttp import web
    server = import_official("server")
    server.torch.from_numpy = lambda x: x.view(Tensor)
    server.log = lambda *_: None
    state = object.__new__(server.ServerState)
    state.mimi = state.lm_gen = state.text_tokenizer = Echo()
    state.device, state.frame_size = "cpu", FRAME
    found = {}

    async def run():
        state.lock = asyncio.Lock()
        app = web.Application()
        app.router.add_get("/api/chat", state.handle_chat)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]
        out = tempfile.mktemp(suffix=".wav")
        process = await asyncio.create_subprocess_exec(
            moshi, "client", f"ws://127.0.0.1:{port}", "--in",
            os.path.join(EXAMPLES, "hello.wav"), "--out", out, "--quiet",
            stdout=asyncio.subprocess.PIPE)
        found["text"] = (await process.communicate())[0].decode()
        found["rc"] = process.returncode
        with wave.open(out) as w:
            found["pcm"] = np.frombuffer(w.readframes(w.getnframes()), "<i2")
        os.remove(out)
        await runner.cleanup()

    asyncio.run(run())
    with wave.open(os.path.join(EXAMPLES, "hello.wav")) as w:
        spoken = np.frombuffer(w.readframes(w.getnframes()), "<i2")
    heard = found["pcm"].astype(np.float64)
    check(found["rc"] == 0, "official server: our client is content")
    check(len(heard) >= len(spoken), f"official server: {len(heard) / 24000:.1f}"
          f" s of {len(spoken) / 24000:.1f} s came back")
    n = min(len(heard), len(spoken))
    # Twice through Opus, which is 6.5 ms late each time.
    best = max(np.corrcoef(heard[d:n], spoken[:n - d])[0, 1]
               for d in range(0, 1000))
    check(best > 0.8, f"official server: as it was spoken, correlation {best:.3f}")
    check(re.fullmatch("( word)+\n", found["text"]) is not None,
          f"official server: text {found['text'].strip()!r}")


parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
parser.add_argument("moshi", help="the program")
arguments = parser.parse_args()
their_client(arguments.moshi)
their_server(arguments.moshi)
sys.exit(failed)
