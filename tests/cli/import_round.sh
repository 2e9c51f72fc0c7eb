# A folder tree and a table of the same content become the same examples. A pipe equals a file; ids survive.
mkdir -p tree/a01/p1 tree/a02/p1 tree/a02/p2
for s in 1 2 3; do
    printf "$s,0.5\n1e1,-2\n" >tree/a01/p1/s0$s.txt
    printf -- "-$s,0.5\n1e1,-2\n" >tree/a02/p1/s0$s.txt
    printf -- "-$s,0.5\n1e1,-2\n" >tree/a02/p2/s0$s.txt
done
qc-import -f dsa --json -o tree.qcd tree || exit
qc-import -f dsa -g p1 --json -o p1.qcd tree || exit
qc-import -f dsa -g p1 tree 2>/dev/null | cmp - p1.qcd || exit
for s in 1 2 3; do printf "$s,10,0.5,-2,a01\n"; done >table.csv
for s in 1 2 3; do printf -- "-$s,10,0.5,-2,a02\n"; done >>table.csv
qc-import -q -f csv --channels 2 -o table.qcd table.csv || exit
qc-import -q -f csv --channels 2 <table.csv | cmp - table.qcd || exit
# the values begin at byte 320, after the shape
for file in p1 table; do dd if=$file.qcd of=$file.values bs=32 skip=10 count=3 status=none; done
cmp p1.values table.values || exit
od -An -f -v -w16 p1.values
