# Input that can be read in two ways is refused, not guessed; omitted input is reported in a sentence.
try() {
    echo "\$ qc-import $*"
    qc-import -o out.qcd "$@" 2>&1
    echo "status $?"
}
mkdir -p cameras/dslr/mug cameras/webcam/mug
for camera in dslr webcam; do cp "$TOP/tests/fuzz/seeds/image/plain.jpg" cameras/$camera/mug/1.jpg; done
try cameras
cp cameras/dslr/mug/1.jpg cameras/dslr/stray.jpg
try cameras
try -f images cameras
rm cameras/dslr/stray.jpg
mkdir -p cameras/a01/p1
printf '1,2\n3,4\n' >cameras/a01/p1/s01.txt
try cameras
try -f images cameras
printf '2\t573\t375\t55\n1\t394\t264\t104\n' >whole.tsv
try whole.tsv
try -f tsv whole.tsv
printf '2\t573.5\t375\t55.5\n1\t394\t264\t104\n' >archive.tsv
try archive.tsv
printf '1,2,3,4,y\n1,2,3,5,n\n' >yes.csv
try yes.csv
try --header no yes.csv
printf 'a,b,y\n1,2,up\n2,3,down\n' >named.csv
try named.csv
printf '@relation r\n@attribute a numeric\n@attribute cls {x,z}\n@data\n1,x\n2,z\n' >table.arff
try --label-column zz table.arff
try --label-column a table.arff
echo '--- an attribute that may reveal the label'
printf '@relation r\n@attribute id numeric\n@attribute a numeric\n@attribute c {u,v}\n@data\n17,1,u\n3,2,v\n' >leak.arff
qc-import -o leak.qcd leak.arff 2>&1
