#!/bin/bash
# Searches with one built target, build-fuzz/fuzz_NAME, for SECONDS (see the Makefile's fuzz-%). Prints, and adds to
# build-fuzz/searches.tsv: name, executions, processor seconds, edges that all inputs together reach. The search's own
# words go to build-fuzz/NAME.log; the exit status is the search's.
#   usage: search.sh NAME SECONDS
set -u
[ $# = 2 ] || { sed -n 's/^#   //p' "$0" >&2; exit 2; }
name=$1 log=build-fuzz/$1.log TIMEFORMAT='%U %S'

mkdir -p "build-fuzz/$name"
used=$( { time "build-fuzz/fuzz_$name" -max_total_time="$2" -max_len=65536 -print_final_stats=1 \
    -artifact_prefix="build-fuzz/$name." "build-fuzz/$name" "tests/fuzz/seeds/$name" >"$log" 2>&1; } 2>&1 )
status=$?
awk -v name="$name" -v used="$used" '
    /^#.* cov: /{ sub(/.* cov: /, ""); edges = $1 }
    /number_of_executed_units/{ n = $2 }
    END { split(used, t, " "); printf "%s\t%d\t%d\t%d\n", name, n, t[1] + t[2] + .5, edges }' "$log" |
    tee -a build-fuzz/searches.tsv
[ "$status" = 0 ] || tail -40 "$log" >&2
exit "$status"
