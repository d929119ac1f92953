// What llama.cpp makes of the model: one line of JSON a question, with the answer, its tokens and whether it stopped by itself.
// usage:  npm install --prefix SCRATCH --ignore-scripts node-llama-cpp @node-llama-cpp/linux-x64
//         NODE_PATH=SCRATCH/node_modules node ask.mjs MODEL.gguf QUESTIONS.txt [temperature=0] [threads=1]
// QUESTIONS.txt holds a question a line; "a || b || c" is a conversation, of which every answer is shown.
import {createRequire} from "node:module";
import {readFileSync} from "node:fs";

const require = createRequire(import.meta.url);
const {getLlama} = await import(require.resolve("node-llama-cpp", {paths: (process.env.NODE_PATH ?? "").split(":")}));
const [, , modelPath, questionsPath, temperature = "0", threads = "1"] = process.argv;
const llama = await getLlama({gpu: false, build: "never", skipDownload: true, logLevel: "error", maxThreads: +threads});
const model = await llama.loadModel({modelPath, checkTensors: true});
const context = await model.createContext({contextSize: 1024, batchSize: 512, threads: +threads});
const sequence = context.getSequence();
const lines = readFileSync(questionsPath, "utf8").split("\n").filter(line => line.trim() !== "");
for (const line of lines) {
  let text = "";
  for (const question of line.split("||").map(part => part.trim())) {
    text += `<|im_start|>user\n${question}<|im_end|>\n<|im_start|>assistant\n`;
    await sequence.clearHistory();
    const ids = [];
    let stopped = false;
    for await (const token of sequence.evaluate(model.tokenize(text, true), {temperature: +temperature, seed: 1, repeatPenalty: false, yieldEogToken: true})) {
      if (model.isEogToken(token)) {
        stopped = true;
        break;
      }
      ids.push(token);
      if (ids.length >= 400)
        break;
    }
    const answer = model.detokenize(ids);
    text += `${answer}<|im_end|>\n`;
    console.log(JSON.stringify({question, answer, tokens: ids.length, stopped}));
  }
}
process.exit(0);
