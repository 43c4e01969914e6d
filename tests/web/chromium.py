"""A headless Chromium with a recorded microphone, driven over its DevTools
protocol through a pair of pipes: JSON messages that end with a zero byte. Needs
nothing beyond Python and Chromium.
"""
import base64
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

FLAGS = (
    "--headless=new",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--autoplay-policy=no-user-gesture-required",
    "--remote-debugging-pipe",
)


def find():
    """The program's path, or None; CHROMIUM in the environment goes first."""
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, NAMES)), None)


class ScriptError(Exception):
    """The page's script threw."""


class Chromium:
    """One browser process. Its pages share nothing with each other."""

    def __init__(self, program, microphone=None, *, allow_microphone=True, flags=()):
        """microphone: a WAV file; None: the machine has no sound devices."""
        self.profile = tempfile.mkdtemp(prefix="moshi-web-")
        arguments = [*FLAGS, *flags, f"--user-data-dir={self.profile}"]
        if allow_microphone:
            arguments.append("--use-fake-ui-for-media-stream")
        environment = dict(os.environ)
        if microphone:
            arguments += ["--use-fake-device-for-media-stream",
                          f"--use-file-for-fake-audio-capture={microphone}"]
        else:
            environment.update(ALSA_CONFIG_PATH="/dev/null", PULSE_SERVER="none",
                               PIPEWIRE_REMOTE="none")
        if os.geteuid() == 0:
            # Chromium refuses to run as root inside its sandbox.
            arguments.append("--no-sandbox")
        read_end, self._out = os.pipe()
        self._in, write_end = os.pipe()
        # The browser reads from descriptor 3 and writes to descriptor 4.
        self.process = subprocess.Popen(
            ["sh", "-c", f'exec "$@" 3<&{read_end} 4>&{write_end}', "sh",
             program, *arguments, "about:blank"],
            pass_fds=(read_end, write_end), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment,
            start_new_session=True)
        os.close(read_end)
        os.close(write_end)
        self._buffer = b""
        self._number = 0
        self.events = []

    def close(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        os.close(self._out)
        os.close(self._in)
        shutil.rmtree(self.profile, ignore_errors=True)

    def _receive(self, deadline):
        while b"\0" not in self._buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._in], [], [], left)[0]:
                raise TimeoutError("Chromium does not answer")
            data = os.read(self._in, 1 << 20)
            if not data:
                raise ConnectionError("Chromium has gone")
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def call(self, method, parameters=None, session=None, timeout=60):
        """The result of one command; events on the way are kept."""
        self._number += 1
        message = {"id": self._number, "method": method,
                   "params": parameters or {}}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._out, data):]
        deadline = time.monotonic() + timeout
        while True:
            answer = self._receive(deadline)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def page(self):
        return Page(self)


class Page:
    """One tab, with a context (cookies, storage) of its own."""

    def __init__(self, browser):
        self.browser = browser
        self.context = browser.call("Target.createBrowserContext")["browserContextId"]
        self.target = browser.call("Target.createTarget", {
            "url": "about:blank", "browserContextId": self.context})["targetId"]
        self.session = browser.call("Target.attachToTarget", {
            "targetId": self.target, "flatten": True})["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method, parameters=None, timeout=60):
        return self.browser.call(method, parameters, self.session, timeout)

    def close(self):
        self.browser.call("Target.disposeBrowserContext",
                          {"browserContextId": self.context})

    def save_downloads(self, folder):
        self.browser.call("Browser.setDownloadBehavior", {
            "behavior": "allow", "downloadPath": str(folder),
            "browserContextId": self.context})

    def size(self, width, height, *, phone=False, dark=False):
        self.call("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "mobile": phone,
            "deviceScaleFactor": 2 if phone else 1})
        self.call("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})

    def open(self, url):
        self.call("Page.navigate", {"url": url})
        self.wait("document.readyState === 'complete'", 20)

    def run(self, script, timeout=60):
        """The value of an expression; promises are awaited."""
        answer = self.call("Runtime.evaluate", {
            "expression": script, "awaitPromise": True, "returnByValue": True,
            "userGesture": True}, timeout)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            thrown = details.get("exception", {}).get("description")
            raise ScriptError(thrown or details["text"])
        return answer["result"].get("value")

    def wait(self, script, seconds):
        """Until the expression is true; whether it became so in time."""
        end = time.monotonic() + seconds
        while True:
            if self.run(script):
                return True
            if time.monotonic() > end:
                return False
            time.sleep(0.05)

    def press(self, key, code=None, *, shift=False):
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32}
        event = {"key": key, "code": code or key, "modifiers": 8 if shift else 0,
                 "windowsVirtualKeyCode": codes.get(key, 0)}
        if key == "Enter":
            event["text"] = "\r"
        if key == " ":
            event.update(text=" ", code="Space")
        self.call("Input.dispatchKeyEvent", {"type": "keyDown", **event})
        self.call("Input.dispatchKeyEvent", {"type": "keyUp", **event})

    def picture(self, path):
        data = self.call("Page.captureScreenshot", {"format": "png"})["data"]
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(base64.b64decode(data))

    def accessible(self):
        """(role, name) of what a screen reader is told of, in its order."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [(n.get("role", {}).get("value"), n.get("name", {}).get("value", ""))
                for n in nodes if not n.get("ignored")]

    def complaints(self):
        """What the page's console holds of errors, and what failed to load."""
        found = []
        for event in self.browser.events:
            if event.get("sessionId") != self.session:
                continue
            what = event.get("params", {})
            if event["method"] == "Runtime.exceptionThrown":
                details = what["exceptionDetails"]
                found.append(details.get("exception", {}).get(
                    "description", details["text"]))
            elif event["method"] == "Log.entryAdded" and \
                    what["entry"]["level"] == "error":
                found.append(what["entry"]["text"])
        return found

    def requests(self):
        """Addresses of everything that the page asked for."""
        return [event["params"]["request"]["url"]
                for event in self.browser.events
                if event.get("sessionId") == self.session and
                event["method"] == "Network.requestWillBeSent"] + \
               [event["params"]["url"] for event in self.browser.events
                if event.get("sessionId") == self.session and
                event["method"] == "Network.webSocketCreated"]
