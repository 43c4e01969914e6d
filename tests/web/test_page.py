"""Goal: a person can talk through the page, and is told what is wrong. Method: a
real, headless Chromium with a recorded microphone opens the page that a real
server with nano serves; what it shows, what it sends and what it saves are looked
at. Reports in TAP; keeps screenshots.

    python3 test_page.py MOSHI FOLDER_FOR_SCREENSHOTS
"""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import chromium
import looks
import sounds

SOURCE = Path(__file__).resolve().parents[2]
EXAMPLES = SOURCE / "examples"
SIZES = {"phone": (390, 844, True), "desktop": (1280, 800, False)}
STATE = "document.body.dataset.state"
PROBLEM = "(document.getElementById('problem').dataset.problem ?? '')"
WORDS = ("[...document.querySelectorAll('#lines p')]"
         ".map((line) => line.textContent)")

count = failures = 0


def check(good, name, *notes):
    global count, failures
    count += 1
    failures += not good
    print(f"{'ok' if good else 'not ok'} {count} - {name}", flush=True)
    if not good:
        for note in notes:
            print(f"# {note}", flush=True)
    return good


def skip(name, reason):
    global count
    count += 1
    print(f"ok {count} - {name} # SKIP {reason}", flush=True)


class Server:
    """`moshi serve` on a free port, or on that of another one."""

    def __init__(self, program, *options, port=0, cpu=""):
        self.process = subprocess.Popen(
            [program, "serve", "--port", str(port), "--quiet", *options],
            stdout=subprocess.PIPE, text=True, env={**os.environ, "MOSHI_CPU": cpu})
        self.url = self.process.stdout.readline().strip() + "/"
        self.port = int(self.url.rstrip("/").rsplit(":", 1)[1])

    def send(self, number):
        self.process.send_signal(number)

    def end(self, number=signal.SIGKILL):
        if self.process.poll() is None:
            self.send(signal.SIGCONT)
            self.send(number)
        self.process.wait(20)
        self.process.stdout.close()


@contextlib.contextmanager
def running(program, *options, port=0, cpu=""):
    server = Server(program, *options, port=port, cpu=cpu)
    try:
        yield server
    finally:
        server.end()


@contextlib.contextmanager
def browser(*arguments, **options):
    it = chromium.Chromium(chromium.find(), *arguments, **options)
    try:
        yield it
    finally:
        it.close()


def click(page, name):
    page.run(f"document.getElementById('{name}').click()")


def fill(page, name, text):
    page.run(f"document.getElementById('{name}').value = {text!r}")


def becomes(page, state, seconds=20):
    return page.wait(f"{STATE} === {state!r}", seconds)


def shows(page, problem, name, seconds=20):
    shown = page.wait(f"{PROBLEM} === {problem!r}", seconds)
    text = page.run("document.getElementById('problem').innerText")
    check(shown and len(text) > 20, name,
          f"shown is {page.run(PROBLEM)!r}: {text}")


class Pictures:
    def __init__(self, folder):
        self.folder = Path(folder)

    def take(self, page, name, sizes=("phone", "desktop"), schemes=("light", "dark")):
        for size in sizes:
            width, height, phone = SIZES[size]
            for scheme in schemes:
                page.size(width, height, phone=phone, dark=scheme == "dark")
                time.sleep(0.3) # transitions
                page.picture(self.folder / f"{name}-{size}-{scheme}.png")
        page.size(*SIZES["desktop"][:2])


def opened(tab, server, path=""):
    page = tab.page()
    page.size(*SIZES["desktop"][:2])
    page.open(server.url + path)
    page.wait(f"{STATE} !== undefined", 20)
    return page


# --- the conversation ---

def watch_words(page, wanted, seconds):
    """How the words came: each different state of them; (states, whole)."""
    states, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        words = page.run(WORDS)
        if words and (not states or states[-1] != words):
            states.append(words)
        if words == wanted:
            return states, True
        time.sleep(0.04)
    return states, False


def check_figures(page):
    delay = page.run("document.getElementById('delay').textContent")
    number = re.fullmatch(r"(\d+) ms|\d\.\d s", delay)
    check(number and int(number[1] or 1000) >= 100, f"the delay is shown: {delay}")
    missed = page.run("document.getElementById('missed').textContent")
    check(re.fullmatch(r"[\d.]+ m?s", missed) is not None,
          f"what was missed is shown: {missed}")
    clock = page.run("document.getElementById('time').textContent")
    check(re.fullmatch(r"0:[01]\d", clock) is not None, f"the time is shown: {clock}")
    above, below = looks.level_pixels(page)
    check(above > 200 and below > 200, "both levels are drawn",
          f"{above} and {below} coloured pixels")


def saved(folder, pattern, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = [f for f in folder.glob(pattern) if f.stat().st_size > 0]
        if found:
            time.sleep(0.3)
            return found[0]
        time.sleep(0.1)
    return None


def check_recording(path, answers, begins):
    heard, spoken, rate = sounds.read_sides(path)
    seconds = len(heard) / rate
    check(rate == sounds.RATE and seconds > begins[-1] + 1,
          f"the recording holds the conversation: {seconds:.1f} s")
    check(sounds.loudest(heard, 0, 3) > 0.03, "the question is on the left")
    # Words are sampled some frames before they are heard.
    for i, (answer, begin) in enumerate(zip(answers, begins)):
        level = sounds.loudest(spoken, begin, begin + 2)
        check(level > 0.05, f"answer {i + 1} can be heard on the right: {level:.3f}")
    level = sounds.loudest(spoken, 0.2, begins[0] - 0.7)
    check(level < 0.02, f"nothing is said before it: {level:.3f}")
    if not sounds.can_listen():
        skip("the answers are recognised", "PocketSphinx is not installed")
        return
    said = (EXAMPLES / "answers.txt").read_text().splitlines()
    said += ["My name is Paul.", "That makes three.", "That makes ten.",
             "The capital of France is Paris.", "The opposite of hot is cold."]
    for answer, begin in zip(answers, begins):
        part = spoken[int(max(0, begin - 0.3) * rate):int((begin + 3.5) * rate)]
        got = sounds.hear(part, said)
        check(got == sounds.words_of(answer), f"recognised in the sound: {answer}",
              f"what was recognised is {got!r}")


def conversation(page, scratch, pictures, answers):
    scratch.mkdir()
    page.save_downloads(scratch)
    pictures.take(page, "ready")
    page.run("document.getElementById('talk').focus()")
    page.press("Enter")
    check(becomes(page, "talking"), "a conversation begins with the Enter key")
    states, whole = watch_words(page, answers[:2], 25)
    pictures.take(page, "talking")
    check_figures(page)
    if not whole or page.run(WORDS) != answers:
        more, whole = watch_words(page, answers, 20)
        states += more
    check(whole, "every answer is the expected one", f"it is {page.run(WORDS)}")
    check(len(states) >= len(answers) + 4, "words appear as they come",
          f"they were seen in {len(states)} states")
    read = page.run("document.getElementById('spoken').innerText")
    check(answers[0] in read, "screen readers get whole sentences", read)
    time.sleep(3) # the last answer's sound
    click(page, "talk")
    check(becomes(page, "ended"), "it is hung up")
    check(page.run(PROBLEM) == "", "hanging up is no problem")
    pictures.take(page, "ended")
    click(page, "save-sound")
    sound = saved(scratch, "*.wav")
    click(page, "save-words")
    words = saved(scratch, "*.txt")
    if not check(sound and words, "recording and words are saved"):
        return
    lines = re.findall(r"^\[(\d+):(\d\d)\] (.*)$", words.read_text(), re.M)
    check([line[2] for line in lines] == answers, "the words are the answers",
          words.read_text())
    check("seed of words" in words.read_text(), "what repeats it is noted")
    check_recording(sound, answers, [60 * int(m) + int(s) for m, s, _ in lines])


def again(page, answers):
    click(page, "talk")
    check(becomes(page, "talking"), "one can talk again")
    check(page.run(WORDS) == [], "the old words are gone")
    _, whole = watch_words(page, answers[:1], 15)
    check(whole, "and is answered again", f"words are {page.run(WORDS)}")


def mute(page):
    click(page, "mute")
    pressed = page.run("document.getElementById('mute').ariaPressed")
    check(pressed == "true", "the microphone can be muted")
    time.sleep(1.5)
    above, _ = looks.level_pixels(page, newest=10)
    check(above == 0, "then it is silent", f"{above} coloured pixels")
    click(page, "mute")


def test_talk(program, scratch, pictures, microphone):
    answers = (EXAMPLES / "answers.txt").read_text().splitlines()
    with running(program) as server, browser(microphone) as tab:
        page = opened(tab, server)
        looks.check_page(page, check)
        conversation(page, scratch, pictures, answers)
        again(page, answers)
        mute(page)
        click(page, "talk")
        becomes(page, "ended")
        foreign = [url for url in page.requests() if f":{server.port}/" not in url]
        check(not foreign, "nothing is asked for elsewhere", foreign)
        check(page.complaints() == [], "the console holds no error",
              *page.complaints())


# --- what goes wrong ---

def test_server_goes(program, pictures, microphone):
    with browser(microphone) as tab:
        server = Server(program, "--grace-seconds", "1")
        page = opened(tab, server)
        click(page, "talk")
        becomes(page, "talking")
        time.sleep(2)
        server.end(signal.SIGKILL)
        shows(page, "lost", "a lost connection is told")
        check(page.run("!document.getElementById('keep').hidden"),
              "what was recorded until then can be saved")
        pictures.take(page, "lost", schemes=("light",))
        click(page, "talk")
        shows(page, "unreachable", "a server that is not there is told")
        with running(program, "--grace-seconds", "1", port=server.port) as server:
            click(page, "talk")
            check(becomes(page, "talking") and page.run(PROBLEM) == "",
                  "one can connect again when it is back")
            server.send(signal.SIGTERM)
            shows(page, "stopped", "a server that is stopped is told")
            pictures.take(page, "stopped", schemes=("dark",))


def test_full(program, pictures, microphone):
    with running(program, "--sessions", "1") as server, browser(microphone) as tab:
        first, second = opened(tab, server), opened(tab, server)
        click(first, "talk")
        becomes(first, "talking")
        click(second, "talk")
        shows(second, "full", "a full server is told")
        pictures.take(second, "full")
        check(first.run(STATE) == "talking", "whoever talks goes on talking")
        click(first, "talk")
        becomes(first, "ended")
        time.sleep(0.5)
        click(second, "talk")
        check(becomes(second, "talking"), "there is room when another has left")


def test_token_and_settings(program, pictures, microphone):
    with running(program, "--token", "right one") as server, \
            browser(microphone) as tab:
        page = opened(tab, server)
        click(page, "talk")
        shows(page, "tokenWanted", "a server that wants a token is told")
        page.run("document.getElementById('settings-open').focus()")
        page.press("Enter")
        pictures.take(page, "settings")
        looks.check_dialog(page, check)
        for name, text in (("token", "wrong"), ("seed", "123"),
                           ("textTemperature", "0.5"), ("textTopK", "20"),
                           ("audioTemperature", "0.6"), ("audioTopK", "200")):
            fill(page, name, text)
        page.run("document.getElementById('token').focus()")
        page.press("Enter")
        check(page.run("!document.getElementById('settings').open"),
              "Enter closes the settings")
        click(page, "talk")
        shows(page, "tokenWrong", "a wrong token is told")
        page.open("about:blank")
        page.open(server.url + "#token=right%20one")
        page.wait(f"{STATE} !== undefined", 20)
        check(page.run("location.href") == server.url,
              "a token in the address is hidden")
        page.open(server.url)
        page.wait(f"{STATE} !== undefined", 20)
        click(page, "talk")
        check(becomes(page, "talking"), "the right one is let in, and remembered")
        asked = [url for url in page.requests() if "/api/chat" in url][-1]
        for wish in ("text_seed=123", "audio_seed=123", "text_temperature=0.5",
                     "text_topk=20", "audio_temperature=0.6", "audio_topk=200"):
            check(f"{wish}&" in asked + "&", f"the server is asked for {wish}", asked)
        page.wait("document.getElementById('about').textContent !== ''", 5)
        about = page.run("document.getElementById('about').textContent")
        check("seed 123" in about, "the seed is shown", about)


def pulse(server, end):
    """Leave the server a tenth of its time: with the plain kernels and one thread
    nano needs 30 ms for a frame, so that one then takes it 300 ms."""
    while not end.wait(0.01):
        server.send(signal.SIGSTOP)
        time.sleep(0.09)
        server.send(signal.SIGCONT)


def test_too_slow(program, pictures, microphone):
    with running(program, "--threads", "1", cpu="ref") as server, \
            browser(microphone) as tab:
        page = opened(tab, server)
        click(page, "talk")
        becomes(page, "talking")
        end = threading.Event()
        thread = threading.Thread(target=pulse, args=(server, end))
        thread.start()
        try:
            shows(page, "slowMachine", "a machine that is too slow is told", 40)
            gaps = page.run("Number(document.getElementById('missed').dataset.gaps)")
            check(gaps > 0, f"missed sound is counted: {gaps} gaps")
            pictures.take(page, "slow", schemes=("light",))
        finally:
            end.set()
            thread.join()


def test_held_up(program, microphone):
    with running(program) as server, browser(microphone) as tab:
        page = opened(tab, server)
        click(page, "talk")
        becomes(page, "talking")
        time.sleep(2)
        server.send(signal.SIGSTOP)
        told = page.wait(f"{PROBLEM}.startsWith('slow')", 8)
        server.send(signal.SIGCONT)
        check(told, "that answers come late is told")
        check(page.wait(f"{PROBLEM} === ''", 60), "and no more when that has passed",
              page.run(PROBLEM), page.run("document.body.innerText"))
        server.send(signal.SIGSTOP)
        shows(page, "lost", "a server that says nothing more is given up", 20)


def test_tls(program, microphone):
    with running(program, "--tls") as server, \
            browser(microphone, flags=("--ignore-certificate-errors",)) as tab:
        page = opened(tab, server)
        check(server.url.startswith("https:") and page.run("isSecureContext"),
              "the page comes over https")
        click(page, "talk")
        check(becomes(page, "talking"), "and so does the conversation")
        asked = [url for url in page.requests() if "/api/chat" in url]
        check(asked and asked[0].startswith("wss:"), "by its WebSocket", asked)


def test_no_microphone(program, pictures, microphone):
    flags = ("--host-resolver-rules=MAP moshi.test 127.0.0.1",)
    with running(program) as server:
        with browser() as tab:
            page = opened(tab, server)
            click(page, "talk")
            shows(page, "microphone", "that there is no microphone is told")
            pictures.take(page, "no-microphone", schemes=("light",))
        with browser(microphone, allow_microphone=False, flags=flags) as tab:
            page = opened(tab, server)
            tab.call("Browser.setPermission", {
                "permission": {"name": "microphone"}, "setting": "denied",
                "browserContextId": page.context})
            click(page, "talk")
            shows(page, "denied", "a microphone that is not allowed is told")
            page.call("Page.addScriptToEvaluateOnNewDocument",
                      {"source": "delete window.AudioEncoder"})
            page.open(server.url)
            shows(page, "browser", "a browser without Opus is told")
            page = tab.page()
            page.open(f"http://moshi.test:{server.port}/")
            shows(page, "insecure", "that https is missing is told")
            check(page.run("document.getElementById('talk').disabled"),
                  "and nothing is begun")
            pictures.take(page, "no-https", schemes=("dark",))


def test_silent_microphone(program, scratch, pictures):
    nothing = scratch / "nothing.wav"
    sounds.write_wav(nothing, sounds.silence(60))
    with running(program) as server, browser(nothing) as tab:
        page = opened(tab, server)
        click(page, "talk")
        shows(page, "silent", "a microphone that gives nothing is told", 30)
        pictures.take(page, "silent", schemes=("light",))
        check(page.run(STATE) == "talking", "and the conversation goes on")


def main(program, folder):
    if chromium.find() is None:
        print("1..0 # SKIP Chromium is not installed")
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        # A certificate of its own is made there.
        os.environ["XDG_DATA_HOME"] = scratch
        questions = Path(scratch) / "questions.wav"
        sounds.write_wav(questions, sounds.read_any(EXAMPLES / "questions.flac"))
        microphone = f"{questions}%noloop"
        pictures = Pictures(folder)
        program = os.path.abspath(program)
        shutil.rmtree(folder, ignore_errors=True)
        test_talk(program, Path(scratch) / "saved", pictures, microphone)
        test_server_goes(program, pictures, microphone)
        test_full(program, pictures, microphone)
        test_token_and_settings(program, pictures, microphone)
        test_too_slow(program, pictures, questions)
        test_held_up(program, questions)
        test_tls(program, microphone)
        test_no_microphone(program, pictures, microphone)
        test_silent_microphone(program, Path(scratch), pictures)
    print(f"1..{count}")
    return 1 if failures else 0


sys.exit(main(*sys.argv[1:]))
