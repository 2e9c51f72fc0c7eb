# Completes, for every qc- program: options, from what its --help all says, and file names.
set -l program (status basename | string replace .fish '')
for line in ($program --help all 2>/dev/null | string match -r '^ +(?:-., )?--[a-z-]+.*')
    set -l long (string match -r -- '--([a-z-]+)' $line)[2]
    set -l short (string match -r -- '^ +-(.),' $line)[2]
    set -l words
    test -n "$short"; and set -a words -s $short
    string match -qr -- '--[a-z-]+ [A-Z]' $line; and set -a words -r
    complete -c $program -l $long $words -d (string replace -r -- '^ +(-., )?--[a-z-]+( [A-Z][^ ]*)? +' '' $line)
end
