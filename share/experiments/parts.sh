#!/bin/sh
# Makes the training and test parts of UCI-DSA people, one file each.
#   parts.sh DIR [TREE]
# Writes DIR/p1.train.qcd, DIR/p1.test.qcd ... TREE: a UCI-DSA tree (a01/p1/s01.txt), or a folder with dsa/p1.tar.zst
# ... The last 20 % of the segments of each activity are the test part.
set -eu
out=${1:?a folder for the parts is needed} data=${2:-${QC_DATA:-../shared/data}}
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for archive in "$data"/dsa/p*.tar.zst; do
    [ ! -f "$archive" ] || zstd -qdc "$archive" | tar -xf - -C "$work"
done
tree=$(find "$work" "$data" -type d -name a01 | head -n 1)
[ -n "$tree" ] || { echo "parts.sh: there is neither a UCI-DSA tree (a01/p1/s01.txt) nor dsa/*.tar.zst in $data" >&2; \
    exit 3; }
for person in "$tree"/p*; do
    name=$(basename "$person")
    qc-import -q -f dsa -g "$name" -o "$work/$name.qcd" "$(dirname "$tree")"
    qc-split -q -t 0.2 --by block -o "$out/$name.train.qcd" -O "$out/$name.test.qcd" "$work/$name.qcd"
done
