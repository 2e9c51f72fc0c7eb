// infer_onnx.js MODEL.onnx CALLS: the ONNX Runtime program of bench_onnx. For each line "N" on stdin, runs N
// windows CALLS times on one thread. Prints the seconds of processor time of the fastest run on one line.
let ort;
try {
    ort = require('../onnx/node_modules/onnxruntime-node');
} catch (e) {
    process.exit(77);
}
const [model, calls] = [process.argv[2], Number(process.argv[3])];

(async () => {
    const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
    const inputs = {};
    for await (const line of require('readline').createInterface({ input: process.stdin })) {
        const n = Number(line);
        if (!inputs[n]) {
            const values = Float32Array.from({ length: n * 45 * 125 }, (_, i) => Math.sin(i * 0.37) * 2);
            inputs[n] = { x: new ort.Tensor('float32', values, [n, 45, 125]) };
        }
        let best = 1e9;
        for (let i = 0; i < calls; i++) {
            const start = process.cpuUsage();
            await session.run(inputs[n]);
            const used = process.cpuUsage(start);
            best = Math.min(best, (used.user + used.system) * 1e-6);
        }
        console.log(best.toFixed(9));
    }
})().catch(e => { console.error(String(e)); process.exit(1); });
