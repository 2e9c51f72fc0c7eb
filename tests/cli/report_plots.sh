# gnuplot draws what --plot prints, whatever words and figures a table of runs has; what cannot be drawn is refused.
figures='before target_mean target_last source_last flips ms forwards backwards passes operations model_bytes'
figures="$figures working_bytes bytes acc bwt fwt forgetting target_ece"
table() { # table AXIS VALUE...: a run per value; no run has backward passes, or a transfer
    axis=$1
    printf 'run\t%s' "$axis" && printf '\t%s' $figures && printf '\ttargets\n'
    shift
    for value; do
        printf 'run-%s\t%s\t.5\t.6\t.7\t.8\t1\t1.5\t3\t0\t2\t9\t1\t2\t3\t-\t-\t-\t-\t.1\t.65,.7\n' "$value" "$value"
    done
}
draw() { # draw WHAT VALUE...
    what=$1
    shift
    table x "$@" >t.runs.tsv && qc-report --plot "$what" t.runs.tsv >plot.gp || return
    gnuplot plot.gp >plot.svg 2>words || cat words
    grep -e xtics -e logscale plot.gp
    /usr/bin/python3 - "$@" <<'END_PYTHON'
import sys, xml.etree.ElementTree as tree
texts = [t.text for t in tree.parse("plot.svg").iter("{http://www.w3.org/2000/svg}text")]
print("drawn" if all(v in texts for v in sys.argv[1:]) else texts)
END_PYTHON
}
echo '--- values of an axis'
draw x,target_mean 2 4 0x10
draw x,target_mean 010 2.5
draw x,target_mean 1 nan
draw x,target_mean 1 -inf 1e999
draw x,target_mean 50% %g 100%%
echo '--- a logarithmic scale has no 0'
draw ms,target_mean a b
draw backwards,target_mean a b
echo '--- nothing to draw'
qc-report --plot ms,acc t.runs.tsv; echo $?
qc-report --plot x,acc t.runs.tsv; echo $?
sed 's/\.7	/-	/; s/\.65,\.7$/-/' t.runs.tsv >no.runs.tsv && qc-report --plot batches no.runs.tsv; echo $?
