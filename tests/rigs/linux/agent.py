"""Runs inside the guest: takes commands as JSON lines from the second serial port.

Standard library only; its answers carry the exit code and what was printed.
"""

import base64
import json
import os
import subprocess
import sys
import termios
import tty


def run(request):
    """Run one command, or read or write a file of the guest."""
    if "fetch" in request:
        with open(request["fetch"], "rb") as file:
            return {"data": base64.b64encode(file.read()).decode()}
    env = dict(os.environ, **request.get("env", {}))
    try:
        done = subprocess.run(
            request["command"],
            cwd=request["cwd"],
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=request["timeout"],
        )
        return {
            "code": done.returncode,
            "out": done.stdout.decode(errors="replace"),
            "err": done.stderr.decode(errors="replace"),
        }
    except subprocess.TimeoutExpired as error:
        out = (error.stdout or b"") + (error.stderr or b"")
        return {"code": -1, "out": out.decode(errors="replace"), "err": "timed out in the guest"}


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
            answer = run(request)
        except Exception as error:
            answer = {"code": -2, "out": "", "err": repr(error)}
        stream.write(json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main())
