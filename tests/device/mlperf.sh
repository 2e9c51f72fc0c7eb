# mlperf.sh - the networks of MLPerf Tiny at their full size are exported as ONNX, imported and quantized. On M4 and M55
# they give the host's predictions byte for byte; their flash is less than the published .tflite's. QC_SLOW=1 runs it.
[ "${QC_SLOW:-}" ] || { echo "skipped: QC_SLOW=1 tests/run device/mlperf runs it"; exit 77; }
for tool in arm-none-eabi-gcc qemu-system-arm; do
    command -v $tool >/dev/null || { echo "skipped: there is no $tool"; exit 77; }
done
/usr/bin/python3 -c 'import numpy' 2>/dev/null || { echo 'skipped: python3-numpy is missing'; exit 77; }
words=$(BITS=8 sh tests/bench/mlperf.sh 2>&1) || { echo "$words"; exit 1; }
[ "$(echo "$words" | grep -c 'ok$')" -eq 3 ] || { echo "$words"; exit 1; }
