# Without misses the coreset has equal shares of the classes, and so has its reserved part. The same seed gives the same
# bytes, by file and by pipe.
qc-synth -q --subjects 1 --activities 5 --windows 12 --channels 3 --length 40 -o data.qcd || exit 1
qc-coreset -n 15 -d data.qcd -o a.qcd --report --reserve 0.7 2>/dev/null | cut -f 1,3,5,7
qc-coreset -q -n 15 -d data.qcd -o b.qcd --reserve 0.7
cmp a.qcd b.qcd && echo "same seed, same bytes"
qc-coreset -q -n 15 --reserve 0.7 -d - <data.qcd | cmp - a.qcd && echo "same by pipe"
qc-coreset -q -n 15 --reserve 0.7 --seed 2 -d data.qcd | cmp -s - a.qcd || echo "other seed, other bytes"
qc-coreset -q -n 60 --sample random -d data.qcd -o all.qcd --json | tr ',' '\n' | grep -c '"set": 12'
