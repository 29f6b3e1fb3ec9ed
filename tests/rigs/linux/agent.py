"""Runs inside the guest: takes commands as JSON lines from the second serial port.

Its answers carry the exit code and what was printed. A module can be run in a fork of the agent:
an emulated processor takes many seconds to load Python and numpy anew each time.
"""

import base64
import contextlib
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import termios
import time
import traceback
import tty

running = {}


def fetch(request):
    """A file of the guest."""
    with open(request["fetch"], "rb") as file:
        return {"data": base64.b64encode(file.read()).decode()}


def spawn(request):
    """Start a command; the others ask for it by its process id."""
    out, err = printed()
    process = subprocess.Popen(
        request["spawn"],
        cwd=request["cwd"],
        env=dict(os.environ, **request["env"]),
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=err,
    )
    running[process.pid] = process, out, err
    return {"pid": process.pid}


def printed():
    """Files for what a command prints."""
    return tempfile.TemporaryFile(), tempfile.TemporaryFile()


class Fork:
    """A fork of this process in which a module runs; as much of Popen as is needed."""

    def __init__(self, module, words, out, err):
        self.code = None
        self.pid = os.fork()
        if not self.pid:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            os._exit(run(module, words))

    def poll(self):
        """Its exit code, if it ended."""
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.code = os.waitstatus_to_exitcode(status) if pid else None
        return self.code

    def wait(self, timeout=30):
        """Wait for its end."""
        end = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired("verb", timeout)
            time.sleep(0.01)

    def send_signal(self, number):
        """Send it a signal."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        """End it."""
        self.send_signal(signal.SIGKILL)


def run(module, words):
    """What `python -m module words` does; the exit code."""
    sys.stdout, sys.stderr = (open(number, "w", buffering=1, closefd=False) for number in (1, 2))  # noqa: SIM115
    sys.argv = [module, *words]
    code = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        traceback.print_exc()
        code = 1
    if isinstance(code, str):
        sys.stderr.write(code + "\n")
        code = 1
    for file in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            file.flush()
    return code


def load():
    """Before the first fork, so that all of them have it."""
    importlib.import_module("app.core.engine.process")
    for name in set(importlib.import_module("app.cli").VERBS.values()):
        importlib.import_module(f"app.commands.{name}")


def fork(request):
    """Run a module in a fork."""
    os.chdir(request["cwd"])
    if request["cwd"] not in sys.path:
        sys.path.insert(0, request["cwd"])
    load()
    out, err = printed()
    process = Fork(request["fork"], request["words"], out, err)
    running[process.pid] = process, out, err
    return {"pid": process.pid}


def peek(request):
    """What it printed until now, and its exit code if it ended."""
    process, *files = running[request["peek"]]
    texts = []
    for file in files:
        size = os.fstat(file.fileno()).st_size
        texts.append(os.pread(file.fileno(), size, 0).decode(errors="replace"))
    return {"code": process.poll(), "out": texts[0], "err": texts[1]}


def send(request):
    """Send it a signal."""
    running[request["send"]][0].send_signal(request["number"])
    return {}


def wait(request):
    """Wait for its end; one that does not end in time is killed."""
    process = running[request["wait"]][0]
    late = False
    try:
        process.wait(request["timeout"])
    except subprocess.TimeoutExpired:
        late = True
        process.kill()
        process.wait()
    told = peek({"peek": request["wait"]})
    _, *files = running.pop(request["wait"])
    for file in files:
        file.close()
    return dict(told, code=-1, err=told["err"] + "timed out in the guest") if late else told


ABLE = {"fetch": fetch, "spawn": spawn, "peek": peek, "fork": fork, "send": send, "wait": wait}


def main():
    """Serve until told to stop."""
    port = os.open("/dev/ttyS1", os.O_RDWR | os.O_NOCTTY)
    tty.setraw(port, termios.TCSANOW)
    stream = os.fdopen(port, "r+b", buffering=0)
    stream.write(b'{"ready": true}\n')
    line = b""
    while True:
        byte = stream.read(1)
        if not byte:
            continue
        line += byte
        if byte != b"\n":
            continue
        request = json.loads(line)
        line = b""
        if request.get("stop"):
            return 0
        try:
            answer = next(able(request) for name, able in ABLE.items() if name in request)
        except Exception as error:
            answer = {"code": -2, "out": "", "err": repr(error)}
        stream.write(json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main())
