#!/bin/sh
# Installs, through apt, what building and testing qcore needs and this machine lacks.
# Does nothing if nothing is missing.
#   install.sh            what the programs are built with
#   install.sh --test     and what `make check` uses
#   install.sh --bench    and what the benches compare with
#   install.sh --deb      and what `make deb` packs with
#   install.sh --demo     and what `make demo` draws with
set -eu
cd "$(dirname "$0")/../.."

packages='gcc libc6-dev make pkg-config libdnnl-dev libyaml-dev libmatio-dev libjpeg62-turbo-dev libpng-dev'
packages="$packages libwebp-dev libsndfile1-dev zlib1g-dev protobuf-c-compiler libprotobuf-c-dev libonnx-dev"
node=
# Node and npm may have come from elsewhere than Debian.
need_node() { node=yes; command -v npm >/dev/null || packages="$packages nodejs npm"; }
for option in "$@"; do
    case $option in
    --test)
        packages="$packages check cppcheck gnuplot-nox libxml2-utils parallel slurm-wlm munge procps mandoc\
 clang libclang-rt-14-dev zstd python3-numpy python3-pil python3-onnx python3-torch python3-flatbuffers\
 python3-pyarmnn libarmnn-cpuref-backend22 qemu-user-static qemu-system-arm\
 bochs gcc-arm-none-eabi gcc-aarch64-linux-gnu libc6-dev-arm64-cross\
 gcc-arm-linux-gnueabihf libc6-dev-armhf-cross"; need_node ;;
    --bench)
        packages="$packages python3-torch python3-onnx zstd libxnnpack-dev libpthreadpool-dev gcc-arm-none-eabi"
        packages="$packages qemu-system-arm"
        need_node ;;
    --deb) packages="$packages debhelper dpkg-dev lintian" ;;
    --demo) packages="$packages gnuplot-nox" ;;
    *) echo "install.sh: there is no option $option (--test, --bench, --deb, --demo)" >&2; exit 2 ;;
    esac
done

# ONNX Runtime, beside the tests that use it and skip without it; its own scripts would only fetch what is for graphics
# cards.
fetch_runtime() {
    [ -n "$node" ] && [ ! -d tests/onnx/node_modules/onnxruntime-node ] || return 0
    echo "install.sh: installing onnxruntime-node from npm into tests/onnx" >&2
    (cd tests/onnx && npm install --ignore-scripts --no-audit --no-fund --no-package-lock --loglevel=error >&2) ||
        echo "install.sh: npm could not install onnxruntime-node: tests against ONNX Runtime will be skipped" >&2
}

if ! command -v dpkg-query >/dev/null; then
    echo "install.sh: this is no Debian; please see to it that these are installed: $packages" >&2
    exit 0
fi

missing=
for package in $packages; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $package"
done
# The sanitizers of clang lie in a package that is named by clang's version.
if command -v clang >/dev/null && [ "$missing" = ' libclang-rt-14-dev' ] && ! clang --version |
    grep -q 'version 14\.'; then missing=; fi
if [ -z "$missing" ]; then
    fetch_runtime
    exit 0
fi

if [ "$(id -u)" -ne 0 ]; then
    echo "install.sh: some packages are missing, and installing them needs root; please run:" >&2
    echo "    sudo apt-get install$missing" >&2
    exit 1
fi
echo "install.sh: installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq >&2 || echo "install.sh: apt-get update failed; trying with the lists that are there" >&2
# shellcheck disable=SC2086 # one word a package
if ! apt-get install -y -qq --no-install-recommends $missing >&2; then
    echo "install.sh: apt-get could not install$missing (its words are above)" >&2
    exit 1
fi
fetch_runtime
