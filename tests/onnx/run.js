// run.js MODEL.onnx WINDOWS SHAPE LOGITS...: ONNX Runtime's logits (raw float32; output `logits`, else the first) of
// windows (raw float32, shape n,C,T or n,C,H,W). More arguments are more models, four arguments each.
// OPTIMISE=disabled runs the graph node by node, as the standard defines it; PRECISE=1 keeps 8-bit products from
// saturating.
// Exit status 77: onnxruntime-node is not installed.
const fs = require('fs');
let ort;
try {
    ort = require('onnxruntime-node');
} catch (e) {
    process.exit(77);
}

async function run(model, windows, shape, logits) {
    const level = process.env.OPTIMISE || 'all';
    const options = { intraOpNumThreads: 1, interOpNumThreads: 1, graphOptimizationLevel: level };
    if (process.env.PRECISE) options.extra = { session: { x64quantprecision: '1' } };
    const session = await ort.InferenceSession.create(model, options);
    const bytes = fs.readFileSync(windows);
    const x = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    const input = new ort.Tensor('float32', x, shape.split(',').map(Number));
    const result = await session.run({ [session.inputNames[0]]: input });
    const y = (result.logits || result[session.outputNames[0]]).data;
    fs.writeFileSync(logits, Buffer.from(y.buffer, y.byteOffset, y.byteLength));
}

(async () => {
    for (let i = 2; i + 3 < process.argv.length; i += 4) await run(...process.argv.slice(i, i + 4));
})().catch(e => { console.error(String(e)); process.exit(1); });
