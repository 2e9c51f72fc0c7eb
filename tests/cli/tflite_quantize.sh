# TensorFlow Lite models, float and int8, go the whole way: 8, 4 and 2 bits, C, ONNX and .tflite. Layers are as in
# MLPerf Tiny's four models, and so are the sizes except MobileNet's. The autoencoder is refused.
/usr/bin/python3 "$TOP/tests/tflite/models.py" models kws ic mobilenet series autoencoder >/dev/null ||
    { echo 'python3-numpy or python3-flatbuffers is missing (share/setup/install.sh --test)' >&2; exit 77; }
sh "$TOP/tests/tflite/quantize.sh" models/kws.tflite models/ic-int8.tflite models/mobilenet-ends.tflite \
    models/series-int8.tflite models/autoencoder.tflite
