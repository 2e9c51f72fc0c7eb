# Installed files work from the place where `make install` puts them, and `make uninstall` removes all of them.
place=$(mktemp -d) || exit 1
trap 'rm -rf "$place"' EXIT
make -s --no-print-directory AS_BUILT=1 install DESTDIR="$place" PREFIX=/opt/qcore >/dev/null || exit 1
root=$place/opt/qcore wrong=0
report() { echo "$*"; wrong=1; }
for program in src/qc-*.c; do
    name=$(basename "$program" .c)
    "$root/bin/$name" --version >/dev/null || report "$name does not run"
    [ -f "$root/share/bash-completion/completions/$name" ] || report "$name has no completion"
    grep -q "\b$name\b" share/completions/qcore.bash || report "share/completions/qcore.bash does not know $name"
done
for page in man/*.[157]; do [ -f "$root/share/man/man${page##*.}/${page#man/}" ] ||
    report "$page is not installed"; done
for arch in share/arch/*.yaml; do [ -f "$root/share/qcore/arch/$(basename "$arch")" ] ||
    report "$arch is not installed"; done
for file in share/experiments/*.[ygs]*; do cmp -s "$file" "$root/share/qcore/experiments/$(basename "$file")" ||
    report "$file is not installed"; done
"$root/bin/qc-sweep" -q --all -o "$place/nowhere" "$root/share/qcore/experiments/uschad.yaml" |
    grep -c qc-train >/dev/null ||
    report "an installed experiment has no commands"
for file in $(sed -n 's/.*](\([^):]*\)).*/\1/p' README.md) README.md LICENSE; do
    cmp -s "$file" "$root/share/doc/qcore/$file" || report "$file is not installed beside README"
done
grep -q '^Version: [0-9]' "$root/lib/pkgconfig/qcore.pc" || report "qcore.pc has no version"
printf '#include <cli/cli.h>\n#include <device/qgraph.h>\nint main(void) { return sizeof(QcQNode) == 0; }\n' \
    >"$place/use.c"
${CC:-gcc} -std=c11 -fsyntax-only -I"$root/include/qcore" "$place/use.c" ||
    report "the installed headers do not stand alone"
rm "$place/use.c"
# what exported models are compiled with
for source in "$root"/share/qcore/lib/device/*.c "$root/share/qcore/lib/kernels/scalar.c"; do
    ${CC:-gcc} -std=c11 -ffreestanding -fsyntax-only "$source" || report "$source does not stand alone"
done
make -s --no-print-directory AS_BUILT=1 uninstall DESTDIR="$place" PREFIX=/opt/qcore >/dev/null ||
    report "uninstall failed"
left=$(find "$root" -type f -o -type l -o -type d 2>/dev/null)
[ -z "$left" ] || report "uninstall left" $left
exit $wrong
