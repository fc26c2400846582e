#!/usr/bin/env bash
# Makes .venv beside this file and installs the project into it, editable. See --help.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: bash install.sh [--help]

Makes .venv beside this script and installs the project and what it needs into it. Works from any directory.
Run it again whenever you like: when nothing has changed it ends in a second, and after an update, an interruption
or an error it does what is left to do.

  PYTHON=python3.12 bash install.sh    uses that Python (3.10 to 3.13); otherwise the first suitable one is taken

PyTorch comes as pip offers it for this machine: on Linux it runs on an NVIDIA GPU and on the CPU alike. To use another
build, make .venv yourself and install torch and torchvision into it first: what fits is kept. pip's own settings
(its configuration files and PIP_ variables) apply.

Two parts are optional, and left out with a word where they cannot be had: jpeg4py, which decodes JPEG files faster
than OpenCV and needs the system's libturbojpeg, and visdom, which shows a training run in the browser.
As root on Debian or Ubuntu, missing system libraries are installed with apt-get; elsewhere you are told the command.
TEXT
}

case "${1-}" in
    "") ;;
    -h | --help) usage; exit 0 ;;
    *) echo "install.sh: unknown option $1" >&2; usage >&2; exit 2 ;;
esac

root="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
venv="$root/.venv"
stamp="$venv/.installed" # what was installed; written last
unfinished="$venv/.unfinished" # stays in a new .venv that an interruption left half-made
step="looking for Python"

say() { printf '\n== %s\n' "$*"; }
note() { printf 'note: %s\n' "$*" >&2; }
report() {
    local status=$?
    if [ "$status" -gt 128 ]; then
        echo "install.sh: interrupted while $step. Run it again to go on." >&2
    elif [ "$status" -ne 0 ]; then
        if [ "$step" != "making $venv" ]; then rm -f "$unfinished"; fi # pip failed cleanly: what it installed is whole
        echo "install.sh: failed while $step; the lines above say why. Mend that and run it again." >&2
    fi
}
trap report EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

suitable() { "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1; }

find_python() {
    local candidates=(python3 python3.12 python3.13 python3.11 python3.10 python) candidate
    if [ -n "${PYTHON-}" ]; then candidates=("$PYTHON"); fi
    for candidate in "${candidates[@]}"; do
        if suitable "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    echo "No Python 3.10 to 3.13 here (tried: ${candidates[*]})." >&2
    echo "Install one, or name it: PYTHON=/path/to/python3 bash install.sh" >&2
    return 1
}

# Everything that decides what has to be installed, and where: a .venv does not survive being moved.
fingerprint() {
    "$venv/bin/python" - "$root" <<'PYTHON'
import hashlib, pathlib, sys
root = pathlib.Path(sys.argv[1])
files = [root.joinpath(name).read_bytes() for name in ("pyproject.toml", "install.sh")]
print(hashlib.sha256(b"\0".join([sys.version.encode(), str(root).encode(), *files])).hexdigest())
PYTHON
}

debian_install() { DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >/dev/null 2>&1; }

# Installs Debian packages, or says how; never fails.
system_packages() {
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        if debian_install "$@" || { apt-get update >/dev/null 2>&1 && debian_install "$@"; }; then
            echo "installed $*"
        else
            note "apt-get could not install $*"
        fi
    elif command -v apt-get >/dev/null; then
        note "install them with: sudo apt-get install $*"
    else
        note "install your system's packages that correspond to Debian's $*"
    fi
}

run_pip() { "$venv/bin/python" -m pip --disable-pip-version-check "$@"; }

make_venv() {
    mkdir -p "$venv"
    touch "$unfinished"
    if ! "$python" -m venv "$venv"; then
        note "Python's venv module is incomplete"
        system_packages python3-venv
        "$python" -m venv "$venv"
    fi
}

# Extras without which everything works: $1 the extra, $2 what happens without it.
optional() {
    if ! run_pip install --quiet --no-build-isolation --no-compile --editable "$root[$1]"; then
        note "the extra $1 is left out: $2"
    fi
}

loads() { "$venv/bin/python" -c "$1" >/dev/null 2>&1; }

if [ -x "$venv/bin/python" ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(fingerprint || true)" ] && [ -z "${PYTHON-}" ]; then
    echo "install.sh: $venv is up to date."
    exit 0
fi
python="$(find_python)"

if [ -e "$unfinished" ] || { [ -e "$venv" ] && ! loads 'pass'; }; then
    say "The .venv here is not whole (an interrupted run, or its Python is gone): starting it afresh"
    step="removing $venv"
    rm -rf "$venv"
fi
if [ ! -e "$venv" ]; then
    say "Making $venv with $("$python" --version)"
    step="making $venv"
    make_venv
elif [ -n "${PYTHON-}" ] && [ "$("$python" --version)" != "$("$venv/bin/python" --version)" ]; then
    step="comparing $venv with PYTHON"
    echo "$venv has $("$venv/bin/python" --version), not $("$python" --version). Remove it first: rm -r '$venv'" >&2
    exit 1
elif [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(fingerprint)" ]; then
    echo "install.sh: $venv is up to date."
    exit 0
fi
rm -f "$stamp"

say "Installing the project and what it needs (PyTorch is large: the first time takes some minutes)"
step="preparing pip in $venv"
loads 'import pip' || "$venv/bin/python" -m ensurepip
# visdom comes as source, and its build script wants the pkg_resources that newer setuptools no longer has.
run_pip install --quiet --no-compile 'setuptools>=77,<81' wheel
step="installing the project's packages"
run_pip install --no-build-isolation --no-compile --editable "$root[test,plots]"

say "Installing the optional parts"
step="installing the optional parts"
turbojpeg='import ctypes; ctypes.CDLL("libturbojpeg.so.0")'
if [ "$(uname -s)" = Linux ] && ! loads "$turbojpeg"; then
    note "jpeg4py needs the system's libturbojpeg; until it is there, OpenCV decodes JPEG files"
    system_packages libturbojpeg0
fi
optional fast-jpeg "OpenCV decodes JPEG files"
optional visdom "training shows its progress on the terminal and in TensorBoard"

rm -f "$unfinished"
say "Checking"
step="importing what was installed"
if ! loads 'import cv2'; then
    note "OpenCV needs system libraries"
    system_packages libgl1 libglib2.0-0
fi
"$venv/bin/python" - <<'PYTHON'
import cv2, torch, torchvision
import ltr, pytracking, socl_plugins
device = torch.cuda.get_device_name() if torch.cuda.is_available() else "the CPU"
print(f"torch {torch.__version__} on {device}, torchvision {torchvision.__version__}, OpenCV {cv2.__version__}")
PYTHON

# Usually Python keeps what it compiled. Where it may not (as in many containers), each start would compile all of torch
# again, which takes longer than loading it.
if [ -n "${PYTHONDONTWRITEBYTECODE-}" ]; then
    say "Compiling to byte code (PYTHONDONTWRITEBYTECODE is set)"
    packages="$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
    # Some packages hold files that are no Python of this version: what does not compile is left.
    "$venv/bin/python" -m compileall -q -j 0 "$packages" "$root"/{ltr,pytracking,socl_plugins} >/dev/null 2>&1 || true
fi

step="writing $stamp"
fingerprint >"$stamp.part"
mv "$stamp.part" "$stamp"
say "Ready. Train a tracker from clicks:  .venv/bin/python ltr/run_training.py socl socl_res18"
