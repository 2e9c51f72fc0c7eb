"""run(MODEL.tflite, x): the outputs of Arm NN's reference backend for windows x [n][...] of real numbers, as real
numbers. None: Arm NN is not installed, or its parser does not know an operator of the model."""
import contextlib
import glob
import io
import warnings

import numpy as np


def load():
    quiet = io.StringIO()
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import pyarmnn
        except ImportError:
            return None
    return pyarmnn


def run(path, x):
    arm, backends = load(), glob.glob("/usr/lib/*/armnn22")
    if not arm or not backends:
        return None
    parser, options = arm.ITfLiteParser(), arm.CreationOptions()
    options.m_DynamicBackendsPath = backends[0]
    runtime = arm.IRuntime(options)
    try:
        network = parser.CreateNetworkFromBinaryFile(path)
        optimised, _ = arm.Optimize(network, [arm.BackendId("CpuRef")], runtime.GetDeviceSpec(), arm.OptimizerOptions())
    except RuntimeError:
        return None
    number, _ = runtime.LoadNetwork(optimised)
    inputs = parser.GetNetworkInputBindingInfo(0, parser.GetSubgraphInputTensorNames(0)[0])
    outputs = parser.GetNetworkOutputBindingInfo(0, parser.GetSubgraphOutputTensorNames(0)[0])
    rows = []
    for window in x:
        window = np.ascontiguousarray(window, "f4").ravel()
        if inputs[1].IsQuantized():
            window = np.round(window / np.float32(inputs[1].GetQuantizationScale())) + inputs[1].GetQuantizationOffset()
            window = np.clip(window, -128, 127).astype("i1")
        result = arm.make_output_tensors([outputs])
        runtime.EnqueueWorkload(number, arm.make_input_tensors([inputs], [window]), result)
        y = arm.workload_tensors_to_ndarray(result)[0].astype("f8").ravel()
        if outputs[1].IsQuantized():
            y = (y - outputs[1].GetQuantizationOffset()) * outputs[1].GetQuantizationScale()
        rows.append(y)
    return np.array(rows)
