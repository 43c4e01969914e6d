"""Goal: in a terminal `moshi chat` shows a status line and hears its keys: m
mutes, q quits, and the terminal is left as it was. Method: a pseudo-terminal,
the shipped recording in real time."""
import os
import pty
import re
import select
import subprocess
import tempfile
import termios
import time

from harness import MOSHI, PATIENCE, QUESTIONS, check, equal, finish

out = tempfile.mktemp(suffix=".wav")
master, slave = pty.openpty()
before = termios.tcgetattr(slave)
chat = subprocess.Popen(
    [MOSHI, "chat", "--in", QUESTIONS, "--out", out, "--threads", "1"],
    stdin=slave, stdout=slave, stderr=slave)
shown = ""


def until(pattern, seconds):
    global shown
    end = time.monotonic() + seconds * PATIENCE
    while time.monotonic() < end:
        if re.search(pattern, shown):
            return True
        if select.select([master], [], [], 0.1)[0]:
            shown += os.read(master, 65536).decode("utf-8", "replace")
    return False


check(until(r"you \[[#.]{10}\] moshi \[[#.]{10}\] frame \d+/\d+ of 80 ms, "
            r"\d+ late", 10), "a status line is shown")
check(not termios.tcgetattr(slave)[3] & termios.ECHO, "keys are not echoed")
check(until("Nano", 20), "the words are shown")
os.write(master, b"m")
check(until(r"MUTED", 5), "m mutes")
shown = ""
os.write(master, b"m")
check(until(r"you \[", 5), "and again")
os.write(master, b"q")
try:
    status = chat.wait(5 * PATIENCE)
except subprocess.TimeoutExpired:
    chat.kill()
    status = None
equal(status, 0, "q quits")
equal(termios.tcgetattr(slave)[3], before[3], "the terminal is as before")
check(os.path.exists(out) and os.path.getsize(out) > 44, "what was said is kept")
os.remove(out)
finish()
