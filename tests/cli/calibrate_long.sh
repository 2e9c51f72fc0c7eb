# Accuracy holds over hundreds of small batches, without flips and with them; `make bench-wander` has thousands.
WANDER_BATCHES=400 WANDER_WINDOW=100 WANDER_SEEDS=1 sh "$TOP/tests/bench/wander.sh" >figures || { cat figures; exit 1; }
grep -c '^bar.* ok$' figures
