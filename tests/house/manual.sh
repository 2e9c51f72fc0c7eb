# The manual pages: at most 250 lines of source, sentences of at most 25 words. The pages of the programs: sections in
# their order, and a SYNOPSIS that requires what the usage line of -h requires.
command -v mandoc >/dev/null || exit 77
wrong=0

# Each usage line in: the sorted options outside brackets, and OPERAND if its last word outside brackets is one.
required() {
    sed -E -e ':a; s/\[[^][]*\]//g; ta' -e 's/\.\.\.|<.*//g' | awk '{
        n = 0
        last = ""
        for (i = 2; i <= NF; i++) {
            if ($i == "--status") seen[++n] = $i # the one required option without an argument
            else if ($i ~ /^-/) { seen[++n] = $i; i++ }
            else if ($i != "|") last = "OPERAND"
        }
        line = last
        for (i = 1; i <= n; i++) line = line " " seen[i]
        print line
    }'
}

# Sentences of more than 25 words; heads of lists, displays, SYNOPSIS and SEE ALSO are none.
long=$(awk '
    function end(    sentences, words, i, k, n) {
        n = split(text, sentences, /[.?!:]\)? +/)
        for (i = 1; i <= n; i++) {
            k = gsub(/(^| )[^ ]*[[:alnum:]][^ ]*/, "&", sentences[i])
            if (k > 25) print FILENAME ": a sentence of " k " words: " substr(sentences[i], 1, 60) "..."
        }
        text = ""
    }
    /^\.Sh/ { end(); skip = /SYNOPSIS|SEE ALSO/ }
    /^\.Bd/ { end(); display = 1 }
    /^\.Ed/ { display = 0 }
    skip || display { next }
    /^\.(Sh|Ss|Pp|Bl|El|It|Dl|Dd|Dt|Os)/ { end(); next }
    /^\.\\"/ { next }
    {
        sub(/^\.[A-Z][a-z]*/, "")
        gsub(/ (Ar|Cm|Fl|Ns|No|Pq|Xr|Pa|Ql|Dv|Va|Fn|Fa|Ev|Em|Nm|Sx)( |$)/, " ")
        text = text " " $0
    }
    /[.?!:]\)?$/ { text = text " "; end() }
    END { end() }' man/*.[157])
[ -z "$long" ] || { echo "$long"; wrong=1; }

for page in man/*; do
    lines=$(wc -l <"$page")
    [ "$lines" -le 250 ] || { echo "$page has $lines lines, more than 250"; wrong=1; }
done

for page in man/qc-*.1; do
    program=$(basename "$page" .1)
    order=$(sed -n 's/^\.Sh //p' "$page" |
        grep -xE 'SYNOPSIS|DESCRIPTION|EXAMPLES|OPTIONS|OUTPUT|EXIT STATUS' | tr '\n' ',')
    [ "$order" = 'SYNOPSIS,DESCRIPTION,EXAMPLES,OPTIONS,OUTPUT,EXIT STATUS,' ] ||
        { echo "$page has the sections $order"; wrong=1; }

    usage=$("$program" -h | sed -n 's/^usage: //p' | required)
    # The forms of the SYNOPSIS, a line each; what all of them require.
    forms=$(mandoc -T ascii -O width=900 "$page" | sed 's/.\x08//g' | sed -n '/^SYNOPSIS/,/^DESCRIPTION/p' |
        grep "^ *$program" | required)
    common=$(echo "$forms" | awk '{ for (i = 1; i <= NF; i++) count[$i]++ }
        END { for (w in count) if (count[w] == NR) print w }' | sort | tr '\n' ' ')
    needed=$(echo "$usage" | tr ' ' '\n' | grep . | sort | tr '\n' ' ')
    [ "$common" = "$needed" ] || { echo "$program -h requires '$needed', SYNOPSIS '$common'"; wrong=1; }
done
exit $wrong
