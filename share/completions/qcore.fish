# Completes, for every qc- program: options, from what its -h says, and file names.
set -l program (status basename | string replace .fish '')
for line in ($program -h 2>/dev/null | string match -r '^ +(?:-., )?--[a-z-]+.*')
    set -l parts (string match -r '^ +(?:-(.), )?--([a-z-]+)( [A-Z][^ ]*)?  +(.*)$' -- $line)
    test (count $parts) -ge 4; or continue
    set -l words
    test -n "$parts[2]"; and set -a words -s $parts[2]
    string match -qr '^ [A-Z]' -- "$parts[4]"; and set -a words -r
    complete -c $program -l $parts[3] $words -d "$parts[-1]"
end
