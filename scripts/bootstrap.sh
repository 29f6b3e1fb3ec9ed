#!/bin/sh
# Finds a Python of 3.11 or newer (PYTHON=... chooses one), installs one by apt where it may,
# and hands over to bootstrap.py. Standard shell only: it is the first thing on a new machine.
set -eu
cd "$(dirname "$0")/.."
fits() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
find_python() {
    for name in "${PYTHON:-}" python3 python3.13 python3.12 python3.11; do
        if [ -n "$name" ] && fits "$name"; then echo "$name"; return 0; fi
    done
    return 1
}
if ! python=$(find_python); then
    apt=apt-get
    if [ "$(id -u)" != 0 ]; then apt="sudo -n apt-get"; fi
    echo "Setting up: Python (once) ..."
    $apt update -qq >/dev/null 2>&1 || true
    if ! $apt install -y -qq python3 python3-venv >/dev/null 2>&1 || ! python=$(find_python); then
        echo "Python 3.11 or newer is needed: sudo apt-get install python3 python3-venv" >&2
        exit 1
    fi
fi
exec "$python" scripts/bootstrap.py "$@"
