#!/bin/sh
# What has to be there before pip can do the rest. Called by the Makefile:
#   setup.sh python [NAME]       print a Python that is new enough and can make a virtual environment
#   setup.sh libraries PYTHON [offscreen]
#                                see that the system libraries Qt loads are there; "offscreen" leaves out those of the display
# What is missing is installed through apt where that needs no password; otherwise the command to type is printed.
set -eu

say() { printf '%s\n' "$*" >&2; }

has() { command -v "$1" >/dev/null 2>&1; }

# apt_install PACKAGE...: true when they were installed, otherwise the command to type has been printed.
apt_install() {
    if [ "$(id -u)" -eq 0 ]; then
        as_root="env"
    elif has sudo && sudo -n true 2>/dev/null; then
        as_root="sudo -n env"
    else
        say "Please install what is missing and try again:"
        say "    sudo apt-get update && sudo apt-get install -y --no-install-recommends $*"
        return 1
    fi
    say "Installing: $*"
    # A fresh container has no package lists, an old machine stale ones: fetch them only if it does not work without.
    for attempt in first second; do
        if $as_root DEBIAN_FRONTEND=noninteractive apt-get install -y -q -o DPkg::Lock::Timeout=120 \
                --no-install-recommends "$@" >&2; then
            return 0
        fi
        [ "$attempt" = first ] || break
        say "Fetching the package lists."
        $as_root apt-get update -q >&2 || break
    done
    say "apt could not install them. Please run this and try again:"
    say "    sudo apt-get update && sudo apt-get install -y --no-install-recommends $*"
    return 1
}

# --- python -----------------------------------------------------------------------------------------------------------

# Running the interpreter is the only sure test: a name on the PATH may be a stub that starts nothing.
new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

can_make_venv() { "$1" -c 'import ensurepip, venv' >/dev/null 2>&1; }

find_python() {
    asked_for=$1
    if [ -n "$asked_for" ]; then set -- "$asked_for"; else set -- python3.13 python3.12 python3.11 python3; fi
    without_venv=""
    for candidate in "$@"; do
        new_enough "$candidate" || continue
        if can_make_venv "$candidate"; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return 0
        fi
        [ -n "$without_venv" ] || without_venv=$candidate
    done

    if [ -z "$without_venv" ]; then
        if [ -n "$asked_for" ]; then
            say "$asked_for is not a working Python of version 3.11 or newer."
        else
            say "No Python 3.11 or newer found."
        fi
        say "Name one that you have:    make PYTHON=/path/to/python3.12 run"
        if has apt-get; then
            say "or, on Debian 12, Ubuntu 24.04 and later:    sudo apt-get install -y python3 python3-venv"
        fi
        return 1
    fi

    say "$without_venv has no venv module."
    if ! has apt-get; then
        say "Install the package of your system that brings it, or name another Python:    make PYTHON=/path/to/python run"
        return 1
    fi
    version=$("$without_venv" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    apt_install "python$version-venv" || return 1
    if ! can_make_venv "$without_venv"; then
        say "It is still missing: $without_venv is not the system's own Python. Name another one:    make PYTHON=/usr/bin/python3 run"
        return 1
    fi
    "$without_venv" -c 'import sys; print(sys.executable)'
}

# --- libraries --------------------------------------------------------------------------------------------------------

# One line a library: the name Qt loads, the Debian and Ubuntu package that holds it.
base_libraries="
libEGL.so.1             libegl1
libGL.so.1              libgl1
libxkbcommon.so.0       libxkbcommon0
libdbus-1.so.3          libdbus-1-3
libfontconfig.so.1      libfontconfig1
libglib-2.0.so.0        libglib2.0-0
"
x11_libraries="
libxkbcommon-x11.so.0   libxkbcommon-x11-0
libxcb-cursor.so.0      libxcb-cursor0
libxcb-icccm.so.4       libxcb-icccm4
libxcb-keysyms.so.1     libxcb-keysyms1
libxcb-shape.so.0       libxcb-shape0
libxcb-xkb.so.1         libxcb-xkb1
"
# Not of Qt: to hear and record sounds.
sound_libraries="
libportaudio.so.2       libportaudio2
"
wayland_libraries="
libwayland-cursor.so.0  libwayland-cursor0
libwayland-egl.so.1     libwayland-egl1
"

# missing PYTHON LIBRARIES: those of the table that cannot be loaded. Loading is what Qt will do, so it is the test.
missing() {
    printf '%s' "$2" | "$1" -S -c '
import ctypes, sys
for line in sys.stdin:
    if line.strip():
        try:
            ctypes.CDLL(line.split()[0])
        except OSError:
            print(line.strip())
'
}

find_libraries() {
    [ "$(uname -s)" = Linux ] || return 0
    wanted=$base_libraries
    if [ "${2:-}" != offscreen ]; then
        [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] || wanted="$wanted$sound_libraries"
        [ -z "${DISPLAY:-}" ] || wanted="$wanted$x11_libraries"
        [ -z "${WAYLAND_DISPLAY:-}" ] || wanted="$wanted$wayland_libraries"
    fi
    lacking=$(missing "$1" "$wanted")
    [ -n "$lacking" ] || return 0

    say "The window needs system libraries that are not here: $(printf '%s\n' "$lacking" | awk '{printf "%s ", $1}')"
    if ! has apt-get; then
        say "Install the packages of your system that hold them. Going on without."
        return 0
    fi
    # shellcheck disable=SC2046  # one word a package is meant
    apt_install $(printf '%s\n' "$lacking" | awk '{print $2}') || return 1
    lacking=$(missing "$1" "$wanted")
    [ -z "$lacking" ] || say "Still not loadable: $lacking. Going on without."
}

case ${1:-} in
    python) find_python "${2:-}" ;;
    libraries) find_libraries "$2" "${3:-}" ;;
    *) say "usage: setup.sh python [NAME] | libraries PYTHON [offscreen]"; exit 2 ;;
esac
