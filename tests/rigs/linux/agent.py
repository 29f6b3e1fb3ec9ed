"""Runs inside the guest: takes commands as JSON lines from the second serial port.

Standard library only; its answers carry the exit code and what was printed.
"""

import base64
import json
import os
import subprocess
import sys
import tempfile
import termios
import tty

running = {}


def fetch(request):
    """A file of the guest."""
    with open(request["fetch"], "rb") as file:
        return {"data": base64.b64encode(file.read()).decode()}


def spawn(request):
    """Start a command; the others ask for it by its process id."""
    out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115
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


def peek(request):
    """What it printed until now, and its exit code if it ended."""
    process, *files = running[request["peek"]]
    texts = []
    for file in files:
        size = os.fstat(file.fileno()).st_size
        texts.append(os.pread(file.fileno(), size, 0).decode(errors="replace"))
    return {"code": process.poll(), "out": texts[0], "err": texts[1]}


def signal(request):
    """Send it a signal."""
    running[request["signal"]][0].send_signal(request["number"])
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


ABLE = {"fetch": fetch, "spawn": spawn, "peek": peek, "signal": signal, "wait": wait}


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
