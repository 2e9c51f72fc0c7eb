#!/bin/sh
# Installs, through apt, what building and testing qcore needs and this machine lacks. Does nothing where all is there.
#   install.sh            what the programs are built with
#   install.sh --test     and what `make check` uses
#   install.sh --bench    and what the benches compare with
#   install.sh --demo     and what `make demo` draws with
set -eu

packages='gcc libc6-dev make pkg-config libdnnl-dev libyaml-dev libmatio-dev libjpeg62-turbo-dev libpng-dev zlib1g-dev protobuf-c-compiler libprotobuf-c-dev libonnx-dev'
for option in "$@"; do
    case $option in
    --test) packages="$packages check mandoc clang libclang-rt-14-dev zstd python3-numpy python3-pil python3-onnx python3-torch qemu-user-static qemu-system-arm gcc-arm-none-eabi\
 gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-arm-linux-gnueabihf libc6-dev-armhf-cross" ;;
    --bench) packages="$packages python3-torch zstd libxnnpack-dev" ;;
    --demo) packages="$packages gnuplot-nox" ;;
    *) echo "install.sh: there is no option $option (--test, --bench, --demo)" >&2; exit 2 ;;
    esac
done

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
if command -v clang >/dev/null && [ "$missing" = ' libclang-rt-14-dev' ] && ! clang --version | grep -q 'version 14\.'; then missing=; fi
[ -n "$missing" ] || exit 0

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
