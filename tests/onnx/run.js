// run.js MODEL.onnx WINDOWS SHAPE LOGITS: what ONNX Runtime makes of raw float32 windows, shaped n,C,T or n,C,H,W, as raw float32 logits (output
// `logits`, else the first). A list of such
// fours runs one after the other. OPTIMISE=disabled runs the graph node by node as the standard defines it; PRECISE=1 keeps 8-bit products from saturating.
// Exit status 77: onnxruntime-node is not installed.
const fs = require('fs');
let ort;
try {
    ort = require('onnxruntime-node');
} catch (e) {
    process.exit(77);
}

async function run(model, windows, shape, logits) {
    const options = { intraOpNumThreads: 1, interOpNumThreads: 1, graphOptimizationLevel: process.env.OPTIMISE || 'all' };
    if (process.env.PRECISE) options.extra = { session: { x64quantprecision: '1' } };
    const session = await ort.InferenceSession.create(model, options);
    const bytes = fs.readFileSync(windows);
    const x = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    const result = await session.run({ [session.inputNames[0]]: new ort.Tensor('float32', x, shape.split(',').map(Number)) });
    const y = (result.logits || result[session.outputNames[0]]).data;
    fs.writeFileSync(logits, Buffer.from(y.buffer, y.byteOffset, y.byteLength));
}

(async () => {
    for (let i = 2; i + 3 < process.argv.length; i += 4) await run(...process.argv.slice(i, i + 4));
})().catch(e => { console.error(String(e)); process.exit(1); });
