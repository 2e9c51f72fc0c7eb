# MLPerf Tiny's reference models (or any others), fetched by the user into the folder QC_TFLITE, go all the way.
[ -d "${QC_TFLITE-}" ] || { echo 'QC_TFLITE=FOLDER with .tflite models is not given' >&2; exit 77; }
/usr/bin/python3 -c 'import numpy' 2>/dev/null || { echo 'python3-numpy is missing' >&2; exit 77; }
sh "$TOP/tests/tflite/quantize.sh" "$QC_TFLITE"/*.tflite
