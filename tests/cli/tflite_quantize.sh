# TensorFlow Lite models, float and int8, go all the way: 8, 4 and 2 bits, C and ONNX.
/usr/bin/python3 "$TOP/tests/tflite/models.py" models resnet mobilenet ds-cnn series autoencoder >/dev/null ||
    { echo 'python3-numpy or python3-flatbuffers is missing (share/setup/install.sh --test)' >&2; exit 77; }
sh "$TOP/tests/tflite/quantize.sh" models/resnet.tflite models/mobilenet-int8.tflite models/ds-cnn-ends.tflite \
    models/series-int8.tflite models/autoencoder.tflite
