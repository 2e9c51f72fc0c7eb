#!/bin/sh
# packages.sh: `make check-deb` runs it. Builds the Debian packages twice, from two folders: the same bytes. lintian
# finds no error. They are installed by dpkg into a root of their own, used there, and purged without a file left.
# Two builds take some minutes of both cores, so neither `make check` nor CI runs this.
set -u
cd "$(dirname "$0")/.." || exit 1
place=$(mktemp -d) || exit 1
trap 'rm -rf "$place"' EXIT
passed=0 failed=0
check() { # check WHAT COMMAND...
    what=$1
    shift
    if "$@" >"$place/words" 2>&1; then passed=$((passed + 1)); else
        echo "$what: not so"
        tail -20 "$place/words"
        failed=$((failed + 1))
    fi
}
same() { for file in "$place"/first/*.deb; do cmp "$file" "$1/$(basename "$file")" || return 1; done; }

COMMIT=$(git rev-parse --short=12 HEAD 2>/dev/null) # of both: --version prints it
export COMMIT
make --no-print-directory deb >"$place/log" 2>&1 || { tail -40 "$place/log"; exit 1; }
mkdir "$place/first" "$place/again"
cp build/deb/*.deb build/deb/*.changes build/deb/*.buildinfo "$place/first"
check "three packages and no other" test "$(ls build/deb/*.deb | grep -vc dbgsym)" -eq 3

# elsewhere, later, with another umask
cp -R build/deb/qcore-*/ "$place/again"
(cd "$place/again"/qcore-* && umask 027 && debian/rules clean && dpkg-buildpackage -b -us -uc) >"$place/log" 2>&1 ||
    { tail -40 "$place/log"; exit 1; }
check "a second build has the same bytes" same "$place/again"
check "lintian has no error" lintian --fail-on error "$place"/first/*.changes

root=$place/root
mkdir -p "$root/var/lib/dpkg/updates" "$root/var/lib/dpkg/info" && touch "$root/var/lib/dpkg/status"
in_root() { dpkg --root="$root" --log="$place/dpkg.log" --force-depends --force-not-root "$@"; }
check "they install" in_root -i "$place"/first/qcore_*.deb "$place"/first/qcore-d[eo][vc]_*.deb
PATH=$root/usr/bin:$PATH QC_SHARE=$root/usr/share/qcore
export PATH QC_SHARE
for program in src/qc-*.c; do
    name=$(basename "$program" .c)
    check "$name is the installed one" test "$(command -v "$name")" = "$root/usr/bin/$name"
    check "$name runs" "$name" --version
    check "$name has a manual" gzip -t "$root/usr/share/man/man1/$name.1.gz"
    for file in bash-completion/completions/"$name" fish/vendor_completions.d/"$name".fish \
        zsh/vendor-completions/_qcore; do check "$name has $file" test -f "$root/usr/share/$file"; done
done
chain() {
    qc-synth -q --subjects 1 --activities 3 --windows 12 --channels 3 --length 24 -o "$place/p.qcd" &&
        qc-train -q --threads 1 --epochs 1 -a inceptiontime-16x3 -d "$place/p.qcd" -o "$place/f.qcm" &&
        qc-coreset -q -n 6 -d "$place/p.qcd" -o "$place/c.qcd" &&
        qc-quantize --force -q -b 4 --epochs 1 --threads 1 -c "$place/c.qcd" -d "$place/p.qcd" -o "$place/q.qcm" \
            "$place/f.qcm" && qc-calibrate -q --no-output -c "$place/c.qcd" -s "$place/p.qcd" "$place/q.qcm" &&
        qc-export -q -f c -c "$place/c.qcd" -o "$place/net.c" "$place/q.qcm"
}
check "the installed programs train, quantize, calibrate and export" chain
printf '%s\n' '#include <cli/cli.h>' '#include <device/learner.h>' 'int main(void) { return qc_threads(1) != 1; }' \
    >"$place/use.c"
export PKG_CONFIG_PATH="$root/usr/lib/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$root"
use() { gcc -o "$place/use" "$place/use.c" $(pkg-config --cflags --libs --static qcore) && "$place/use"; }
check "a program is built with qcore-dev" use
check "an exported model is compiled with qcore-dev's sources" gcc -std=c11 -fsyntax-only \
    -I"$root/usr/share/qcore/lib/device" -I"$root/usr/share/qcore/lib" "$place/net.c"
check "qcore-doc has README" test -n "$(find "$root/usr/share/doc" -name 'README.md*')"
check "they are purged" in_root --purge qcore-doc qcore-dev qcore
check "no file is left" test -z "$(find "$root/usr" ! -type d 2>/dev/null)"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
