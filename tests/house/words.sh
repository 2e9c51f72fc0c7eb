# Plain technical English: no word of the list below, and no line over 120 columns in a text file that is written by
# hand. Lists of exceptions only shrink.
LC_ALL=C.UTF-8
export LC_ALL
wrong=0

# A row of a Markdown table is one line, and the tables of RESULTS.md have many columns. zsh reads "#compdef" from the
# first line only.
exempt='^share/experiments/RESULTS\.md:[0-9]*:\||^share/completions/_qcore:1:'

files=$(find lib src tests man share README.md Makefile -type f \( -name '*.[ch]' -o -name '*.sh' -o -name '*.py' -o \
    -name '*.md' -o -name '*.yaml' -o -name '*.[157]' -o -name '*.bash' -o -name '*.service' -o \
    -name Makefile -o -name run \) ! -path '*/node_modules/*' \
    ! -path '*/seeds/*' ! -path 'tests/formats/*' | sort)

# Not written by hand: stored outputs of programs (*.out, *.err), tables of results (*.tsv), pictures (*.svg), seeds of
# fuzz targets, files of old versions (tests/formats) and node_modules. grep -I skips binary files.
wide=$(find lib src tests man share README.md LICENSE Makefile -type f ! -name '*.out' ! -name '*.err' \
    ! -name '*.tsv' ! -name '*.svg' ! -path '*/seeds/*' ! -path 'tests/formats/*' ! -path '*/node_modules/*' \
    -exec grep -InHE '.{121,}' {} + | sort | grep -vE "$exempt")
[ -z "$wide" ] || { echo "lines over 120 columns:"; echo "$wide" | cut -c1-100; wrong=1; }

# was = is. Whole words or identifiers, as they were used here.
words='made-up=synthetic
qc_lda_lower=stacking_bias
QC_LEAD_[A-Z]+=prior advantage
second last layer=closed-form head
look again=recompute features
hold back=calibrated stacking
held back=held out
those of=repeat the noun
that of=repeat the noun
the former=repeat the noun
the latter=repeat the noun
QcShadow=QcFakeQuant
qc_shadow[a-z_]*=qc_fakequant
latents=master weights
qc_team_meet=qc_team_barrier
qc_convs_alone=qc_convs_single_threaded
Desk=Workspace
journals?=run log
complain|[a-z_]+_complain=validate, report
abandon(ed)?|[a-z_]+_abandon=clean up
in the place of=instead of
(NULL|NaN|-1|0|1) where=NULL if
taught=trained; the step flipnet
--people=--subjects
normalis(e|ed|es|ing|ation)=normalize
in vain=warn_ignored
habits of flash=flash semantics
eats=reads
lean plan=inference-only plan
going on behind=resuming after
arrivals?=incoming batch
teachers?=oracle
[Qq]c_?[Tt]each[A-Za-z_]*=oracle
lessons?=training samples
persons=synthetic subjects, people
[a-z_]*_persons=subjects
--without=--ablate
is told|are told|not told|told once|was told=is reported, gets
[a-z_]+_(told|tells?|says)(_[a-z_]*)?=report, print
QcSheet|qc_sheet_[a-z]+=QcKvWriter, qc_kv_
[a-z_]+_spares=refuse_overwrite
qc_room_new=qc_aligned_new'
# Service files have the journal of systemd.
scope=$(echo "$files" | grep -vE '^tests/house/words\.sh|^share/(experiments/RESULTS|CHANGELOG)\.md|\.service$')
echo "$words" | while IFS='=' read -r was is; do
    hits=$(echo "$scope" | xargs grep -nwE -- "$was")
    [ -z "$hits" ] || { echo "'$was' is '$is':"; echo "$hits" | cut -c1-140; }
done >"${TMPDIR:-/tmp}/words.$$"
[ ! -s "${TMPDIR:-/tmp}/words.$$" ] || { cat "${TMPDIR:-/tmp}/words.$$"; wrong=1; }
rm -f "${TMPDIR:-/tmp}/words.$$"
awk 'END { if (NR > 120) { print "README.md has " NR " lines, more than 120"; exit 1 } }' README.md || wrong=1
exit $wrong
