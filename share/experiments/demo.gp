# One picture of a calibration: accuracy above, flips beneath. Needs data, picture, source, target, bits (gnuplot -e).
# data: batches so far, accuracy on the target, on the source, flips in the batch
stats data using 1 name 'batch' nooutput
stats data using 4 name 'flips' nooutput
adapted = "#1f6fb4"; kept = "#3f9b68"; pale = "#a9d6bc"; plain = "#888888"; bars = "#c9a36b"; ink = "#333333"

set terminal svg size 760,560 font 'Helvetica,14' background '#ffffff'
set output picture
set multiplot
set border 3 linecolor rgb ink linewidth 1
set tics nomirror out scale 0.5 textcolor rgb ink
set xrange [-0.5:batch_max + 0.5]
set lmargin at screen 0.11
set rmargin at screen 0.83

set title sprintf("A %s-bit model of %s keeps itself right on %s", bits, source, target) textcolor rgb ink font ',17' offset 0,0.5
set tmargin at screen 0.88
set bmargin at screen 0.42
set yrange [0:1.03]
set ytics 0,0.2,1 format '%.1f'
set grid ytics linecolor rgb '#e4e4e4' linetype 1
set xtics 0,1 format ''
set label 4 'accuracy on test sets' at screen 0.02, 0.65 center rotate textcolor rgb ink
unset key
# Names stand at the ends of their lines; the two of the adapted model may end too close for that.
first_target = last_target = last_source = 0
stats data using ($0 == 0 ? first_target = $2 : 0, last_target = $2, last_source = $3) nooutput
above = last_target >= last_source ? 1 : -1
gap = abs(last_target - last_source)
push = gap < 0.07 ? (0.07 - gap) / 2 : 0
room = last_target + last_source > 1.93 ? -push : 0 # not beyond the frame
set label 1 sprintf("target (%s)", target) at batch_max + 0.3, last_target + above * push + room left textcolor rgb adapted
set label 2 sprintf("source (%s)", source) at batch_max + 0.3, last_source - above * push + room left textcolor rgb kept
set label 3 "target, no\nadaptation" at batch_max + 0.3, first_target left textcolor rgb plain
plot data using 1:(first_target) with lines linewidth 2 dashtype 2 linecolor rgb plain, \
     data using 1:3 with lines linewidth 5 linecolor rgb pale, \
     data using 1:2 with linespoints linewidth 2.5 pointtype 7 pointsize 0.6 linecolor rgb adapted

unset title
unset label 1; unset label 2; unset label 3
set tmargin at screen 0.36
set bmargin at screen 0.13
set yrange [0:flips_max > 0 ? flips_max * 1.1 : 1]
few = flips_max > 0 ? 10 ** floor(log10(flips_max)) : 1 # 2 to 5 tics
spacing = flips_max < 2 * few ? few / 2.0 : flips_max < 5 * few ? few : 2 * few
set ytics 0,spacing format '%.0f'
set xtics 0,1 format '%.0f'
set label 4 'weights stepped' at screen 0.02, 0.245 center rotate textcolor rgb ink
set xlabel 'stream batches seen (0: as quantized)' textcolor rgb ink
set boxwidth 0.55
set style fill solid 1.0 noborder
plot data using 1:4 with boxes linecolor rgb bars
unset multiplot
