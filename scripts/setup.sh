#!/usr/bin/env bash
# Installs what the other make targets need, on a fresh Debian, Ubuntu or macOS machine with python3, git and make.
# Does nothing that is done already, and never asks a question.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=.venv-tools # holds uv where the machine has none

say() { printf 'setup: %s\n' "$*" >&2; }

# System packages, where that is possible without asking: as root, with passwordless sudo, or with Homebrew.
system_install() {
    local as_root=""
    if [ "$(id -u)" != 0 ]; then
        sudo -n true 2>/dev/null || return 1
        as_root="sudo -n"
    fi
    command -v apt-get >/dev/null 2>&1 || return 1
    say "installing $*"
    { $as_root apt-get update -qq && $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq -y --no-install-recommends "$@"; } >/dev/null 2>&1
}

fetch_uv() {
    say "installing uv into $tools"
    # Debian's python3 comes without pip and venv, and refuses installs beside the system's packages.
    python3 -m venv "$tools" >/dev/null 2>&1 || { system_install python3-venv && python3 -m venv "$tools" >/dev/null; } || {
        say "uv cannot be installed: python3 has no venv module. Debian and Ubuntu: apt install python3-venv"
        exit 2
    }
    "$tools/bin/pip" install --quiet --disable-pip-version-check uv >&2
}

uv=$(command -v uv || true)
if [ -z "$uv" ]; then
    [ -x "$tools/bin/uv" ] || fetch_uv
    uv=$tools/bin/uv
fi
[ -d .venv ] || say "installing the locked dependencies into .venv (some gigabytes on the first machine)"
"$uv" sync --locked --quiet

# Only compressed multitracks (.stem.mp4) need ffmpeg, so its absence stops nothing.
if ! command -v ffmpeg >/dev/null 2>&1; then
    if command -v brew >/dev/null 2>&1; then
        brew install --quiet ffmpeg >/dev/null 2>&1 || true
    else
        system_install ffmpeg || true
    fi
    command -v ffmpeg >/dev/null 2>&1 || say "going on without ffmpeg, which .stem.mp4 files need: apt install ffmpeg"
fi
