# Tables as people have them: what is concluded, what is asked for; the values that come of it.
try() { # try FILE OPTIONS...: the table is on standard input
    file=$1
    shift
    cat >"$file"
    echo "\$ $file $*"
    qc-import -o out.qcd "$@" "$file" 2>&1 && qc-export -f csv out.qcd
    echo "status $?"
}
echo '--- label and header'
printf 'label,p0,p1\n7,0,10\n3,0,20\n' | try first.csv
printf '0,1,2\n.5,.25,walk\n4,5,sit\n' | try counted.csv
printf '0,1,2\n5,7,1\n4,5,2\n' | try unsure.csv
printf '0.0,0.02,activity\n1,2,0\n3,4,1\n' | try times.csv
printf '1.0,.5,3.5\n2.0,4.5,6.5\n' | try ucr.csv
printf '1\t.5\t3.5\n2\t4.5\t6.5\n' | try ucr.tsv
printf '1,2,2\n2,1,1\n' | try both.csv
printf '.5,1.5\n.25,2.5\n' | try none.csv
printf '.5,1.5\n.25,2.5\n' | try none.csv --label-column none
printf 'x,y,z,label\n1,2,3,a\n4,5,6,b\n' | try axes.csv
printf 'a,label,activity\n1,u,v\n2,v,u\n' | try two.csv
printf 'a,word,other\n1,u,v\n2,v,u\n' | try words.csv
{ echo 'v,TIMESTAMP'; for k in 1 2 3 4 5 6 7 8 9 10 11 12; do echo "$k.5,16000$k"; done; } |
    try stamp.csv --label-column TIMESTAMP
echo '--- what is no value'
printf ',a,b,class\n0,1.5,2,u\n1,2.5,3,v\n2,3.5,9,v\n' | try pandas.csv
printf '"a" "b" "class"\n"1" 1.5 2 "u"\n"2" 2.5 3 "v"\n' | try r.txt
printf 'a,b,label,\n1,2,u,\n3,4,v,\n' | try trailing.csv
printf 'a,b,label\n1,2,u,\n3,4,v,\n' | try trailing2.csv
printf 'user,a,ppm,label\np1,1,50,u\np2,2,60,v\n' | try leaks.csv
printf 'user,a,ppm,label\np1,1,50,u\np2,2,60,v\n' | try leaks.csv --ignore ppm -g p2
printf 'user,a,b,label\np1,1,5,u\n,2,6,v\n' | try nobody.csv
printf 'user,a,b,label\np1,1,5,u\n,2,6,v\n' | try nobody.csv --ignore 1
printf 'note,a,b,label\nx,1,2,u\ny,3,4,v\n' | try columns.csv --columns a,b
printf '1,2,3,u\n4,5,6,v\n' | try range.csv --columns 2-3 --label-column 4
echo '--- signs'
printf '# a comment\nsep=;\nv1;v2;label\n1;2;a\n4;5;b\n' | try excel.csv
printf '# v1 v2 label\n1.0 2.0 0.0\n4 5 1\n# the end\n' | try savetxt.txt
printf 'v1;v2;label\n1,5;2;a\n4,0;5;b\n' | try comma.csv
printf 'v1;v2;label\n1,5;2;a\n4,0;5;b\n' | try comma.csv --decimal ,
printf '1,2,"a\n3,4,b\n' | try unclosed.csv
printf '1,2,3\n4,NA,6\n7,-nan,NULL\n' | try missing.csv --label-column none --missing fill
printf 'a\tb\tlabel\n\t1\tu\n2\t3\tv\n' | try empty.tsv --missing drop
printf '1,2,a\n3,4,b\n' | gzip | try packed.csv.gz
printf '1,2,a\n' | gzip | head -c 20 | try cut.csv.gz
printf 'a,b,label\n1,2,u\n3,4,v\n' | iconv -f UTF-8 -t UTF-16 | try utf16.csv
printf '\377\376a' | try half.csv
echo '--- channels, features, pictures'
printf 'x_1,y_1,x_2,y_2,label\n1,10,2,20,a\n3,30,4,40,b\n' | try order.csv --channels 2
printf 'x_1,y_1,x_2,y_2,label\n1,10,2,20,a\n3,30,4,40,b\n' | try order.csv --channels 2 --channels-last
printf 'x_1,x_2,y_1,y_2,label\n1,2,10,20,a\n' | try order2.csv --channels 2 --channels-last
printf '1,2,3,a\n4,5,6,b\n' | try features.csv --features
printf '1,2,3,4,a\n' | try picture.csv --image 2x2
printf '1,2,3,a\n' | try picture.csv --image 2x2
echo '--- recordings'
rows() { echo 'timestamp,ax,ay,activity'; for t in 0 20 40 60 80 100 300 320 340 360; do echo \
    "$t,$t,1,$([ $t -lt 80 ] && echo walk || echo sit)"; done; }
rows | try log.csv
rows | try log.csv --window 2
rows | try log.csv --window 0.04s --stride 0.02s
rows | sed 's/timestamp/time_ms/' | try named.csv --window 40ms --stride 0.02s
rows | try log.csv --window 3 --label-rule majority
rows | try log.csv --window 3 --label-rule last
rows | try log.csv --window 3 --label-rule pure
rows | try log.csv --window 9
rows | sed 's/^40,40/40,/' | try hole.csv --window 2 --missing fill
rows | sed 's/walk$//' | try unlabelled.csv --window 2
rows | sed 's/walk$//' | try unlabelled.csv --window 2 --missing drop
printf '2024-05-31T10:00:00Z,1,a\n2024-05-31T10:00:01Z,2,a\n2024-05-31T10:00:02+00:00,3,a\n' |
    try iso.csv --window 2s --header no
printf 't,v,user,label\n1,1,p,a\n2,2,p,a\n3,3,q,a\n4,4,q,a\n' | try users.csv --window 2 -g q
echo '--- folders'
mkdir -p set/p1 set/p2
for p in 1 2; do for c in up down; do printf 'v\n%s\n%s\n' $p 2 >set/p$p/$c.7.csv; done; done
echo x >set/p1/readme.md
folder() { echo "\$ $*"; qc-import -o out.qcd "$@" 2>&1 && qc-export -f csv out.qcd && qc-info out.qcd |
    sed -n '/^groups/,/^provenance/p'; echo "status $?"; }
folder -f csv --window 2 --name-pattern '{group}/{label}.{recording}.csv' set
folder -f csv --window 2 --name-pattern '{group}/{label}.{recording}.csv' -g p2 set
folder -f csv --window 2 --name-pattern '{group}/{label}.{recording}.csv' -g p3 set
folder -f csv --window 2 --name-pattern '{what}.csv' set
folder -f csv --window 2 --name-pattern '{label}.txt' set
folder -f csv --window 2 --name-pattern '{label}{group}.csv' set
folder --window whole --name-pattern '{group}/{label}.{}.csv' set
printf 'v\nx,\n' >set/p1/up.7.csv
folder -f csv --window 2 --name-pattern '{group}/{label}.{recording}.csv' set
folder -f csv --window 2 --name-pattern '{group}/{label}.{recording}.csv' --skip-bad set
mkdir one # a code that is constant in each file says the label, and one more column does not
for k in 0 1 2; do
    awk -v k=$k 'BEGIN { print "v,code,label"; for (i = 0; i < 8; i++) print i % (k + 2) "," 7 * k ",c" k }' \
        >one/f$k.csv
done
qc-import --window 4 -o out.qcd one 2>&1
sed -i 's/,[0-9]*,c/,3,c/' one/*.csv
qc-import --window 4 -o out.qcd one 2>&1
# Warnings of later files: f5 to f13 have uneven steps, and all files two columns of one name.
mkdir later
for k in 0 1 2 3 4 5 6 7 8 9 10 11 12 13; do
    awk -v k=$k 'BEGIN {
        print "time,v,v"
        for (i = 0; i < 40; i++) print i + int(i / 8) * k / 8 "," i % 5 "," i % 3 }' >later/f$k.csv
done
qc-import --label-column none --name-pattern '{group}.csv' --window 4 -o out.qcd later 2>&1
awk 'BEGIN { print "v,label"; for (i = 0; i < 65536; i++) print i % 7 ",a" }' >long.csv # models take less
qc-import --window whole -o out.qcd long.csv 2>&1
echo '--- what is of another kind'
for name in a.pth a.h5 a.tflite a.tar a.zip a.tar.gz a.parquet; do echo x >$name; qc-import -o out.qcd $name; done 2>&1
:
