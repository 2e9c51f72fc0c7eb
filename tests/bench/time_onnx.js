// time_onnx.js MODEL.onnx SHAPE CALLS: the ONNX Runtime program of bench_nets. For each line on stdin, runs the model
// CALLS times, one window of the shape (n,C,T or n,C,H,W) on one thread, and prints the seconds of the fastest call.
// Wall time. Calls go straight to the native binding: InferenceSession.run would wait for the event loop. Input and
// output tensors are allocated before the measurement.
let ort, native;
try {
    ort = require('../onnx/node_modules/onnxruntime-node');
    native = require('../onnx/node_modules/onnxruntime-node/dist/binding');
} catch (e) {
    process.exit(77);
}
const [, , model, shape, calls] = process.argv;
const dims = shape.split(',').map(Number), size = dims.reduce((a, b) => a * b);
native.initOrt();
const session = new native.binding.InferenceSession();
session.loadModel(model, { intraOpNumThreads: 1, interOpNumThreads: 1, graphOptimizationLevel: 'all',
    executionMode: 'sequential', enableCpuMemArena: true, enableMemPattern: true });
const values = Float32Array.from({ length: size }, (_, i) => Math.sin(i * 0.37) * 2);
const feeds = { x: new ort.Tensor('float32', values, dims) };
const options = {}, name = session.outputMetadata[0].name;
const first = session.run(feeds, { [name]: null }, options)[name];
const fetches = { [name]: new ort.Tensor(first.type, first.data.slice(), first.dims) };

require('readline').createInterface({ input: process.stdin }).on('line', () => {
    let best = Infinity;
    for (let i = 0; i < Number(calls); i++) {
        const start = process.hrtime.bigint();
        session.run(feeds, fetches, options);
        best = Math.min(best, Number(process.hrtime.bigint() - start));
    }
    console.log((best * 1e-9).toFixed(9));
});
