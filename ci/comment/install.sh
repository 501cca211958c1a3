#!/bin/sh
# Makes an environment with what the comment needs, and nothing else: ci/comment/install.sh FOLDER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
python3 -m venv "$1"
"$1/bin/pip" install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r "$here/requirements.txt"
