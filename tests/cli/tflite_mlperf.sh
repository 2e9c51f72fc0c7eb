# MLPerf Tiny's reference models (or any others) that the user has put into the folder QC_TFLITE go the whole way. With
# QC_SLOW=1 and no such folder, tests/tflite makes models of the same layers and sizes. A folder without models fails.
/usr/bin/python3 -c 'import numpy, flatbuffers' 2>/dev/null ||
    { echo 'python3-numpy or python3-flatbuffers is missing (share/setup/install.sh --test)' >&2; exit 77; }
if [ -z "${QC_TFLITE-}" ]; then
    [ "${QC_SLOW-}" = 1 ] || { echo 'QC_TFLITE=FOLDER with .tflite models is not given' >&2; exit 77; }
    QC_TFLITE=models
    /usr/bin/python3 "$TOP/tests/tflite/models.py" $QC_TFLITE kws ic vww autoencoder >/dev/null || exit
fi
case $QC_TFLITE in /* | models) ;; *) QC_TFLITE=$TOP/$QC_TFLITE ;; esac
set -- "$QC_TFLITE"/*.tflite
[ -f "$1" ] || { echo "QC_TFLITE=$QC_TFLITE is no folder with .tflite models" >&2; exit 1; }
sh "$TOP/tests/tflite/quantize.sh" "$@"
