# MLPerf Tiny's reference models (or any others) that the user has put into the folder QC_TFLITE go the whole way. With
# QC_SLOW=1 and no such folder, tests/tflite makes models of the same layers and sizes.
/usr/bin/python3 -c 'import numpy, flatbuffers' 2>/dev/null ||
    { echo 'python3-numpy or python3-flatbuffers is missing (share/setup/install.sh --test)' >&2; exit 77; }
if [ -d "${QC_TFLITE-}" ]; then
    sh "$TOP/tests/tflite/quantize.sh" "$QC_TFLITE"/*.tflite
    exit
fi
[ "${QC_SLOW-}" = 1 ] || { echo 'QC_TFLITE=FOLDER with .tflite models is not given' >&2; exit 77; }
/usr/bin/python3 "$TOP/tests/tflite/models.py" models kws ic vww autoencoder >/dev/null &&
    sh "$TOP/tests/tflite/quantize.sh" models/*.tflite
