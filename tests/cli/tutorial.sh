# The tutorial, from a table to a firmware: every command prints what the page says.
command -v arm-none-eabi-gcc >/dev/null || { echo "there is no arm-none-eabi-gcc" >&2; exit 77; }
QCORE=$TOP
export QCORE
"$TOP/tests/shown.sh" "$TOP/man/qc-tutorial.7"
