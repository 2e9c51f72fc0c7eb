# The soak test of tests/bench for some seconds; `make bench-soak` runs it for longer.
SOAK_WINDOWS=2500 SOAK_RESTARTS=10 sh "$TOP/tests/bench/soak.sh" 2>words
