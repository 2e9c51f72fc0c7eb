# One picture of two calibrations: the recommended method above, QCore below. Needs the variables data, picture, source,
# first, second, bits (gnuplot -e). Columns of the file data: batches so far; accuracy on the first target, the second
# target and the source; the same three accuracies of QCore.
stats data using 1 name 'batch' nooutput
one = "#1f6fb4"; two = "#b4531f"; kept = "#3f9b68"; ink = "#333333"

set terminal svg size 760,560 font 'Helvetica,14' background '#ffffff'
set output picture
set multiplot layout 2,1 font ',17' \
    title sprintf("A %s-bit model of %s keeps itself right on %s, then on %s", bits, source, first, second)
set border 3 linecolor rgb ink linewidth 1
set tics nomirror out scale 0.5 textcolor rgb ink
set xrange [-0.2:batch_max + 0.2]
set yrange [0:1.03]
set ytics 0,0.2,1 format '%.1f'
set xtics 0,1 format '%.0f'
set grid ytics linecolor rgb '#e4e4e4' linetype 1
set ylabel 'accuracy on test sets' textcolor rgb ink
set key outside right center
set arrow from batch_max / 2.0 + 0.5, 0 to batch_max / 2.0 + 0.5, 1.03 nohead dashtype 2 linecolor rgb '#888888'
set title 'recommended' offset 0,-0.5
plot data using 1:2 with linespoints linewidth 2.5 pointtype 7 pointsize 0.6 linecolor rgb one title first, \
     data using 1:3 with linespoints linewidth 2.5 pointtype 7 pointsize 0.6 linecolor rgb two title second, \
     data using 1:4 with linespoints linewidth 2.5 pointtype 7 pointsize 0.6 linecolor rgb kept title source." (source)"
set title 'QCore'
set xlabel 'batches learned (0: as quantized)' textcolor rgb ink
plot data using 1:5 with linespoints linewidth 2.5 pointtype 7 pointsize 0.6 linecolor rgb one title first, \
     data using 1:6 with linespoints linewidth 2.5 pointtype 7 pointsize 0.6 linecolor rgb two title second, \
     data using 1:7 with linespoints linewidth 2.5 pointtype 7 pointsize 0.6 linecolor rgb kept title source." (source)"
unset multiplot
