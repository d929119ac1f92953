// The API quickstart's JavaScript samples. KWAAINET_URL names another address than the quickstart's.
import assert from "node:assert/strict";
import OpenAI from "openai";

const client = new OpenAI({
  baseURL: process.env.KWAAINET_URL ? `${process.env.KWAAINET_URL}/v1` : "http://localhost:11435/v1",
  apiKey: "sk-local-placeholder", // see node config for actual auth behavior
});

const MODEL_ID = "kwaai-demo"; // replace with a /v1/models id

const resp = await client.chat.completions.create({
  model: MODEL_ID,
  messages: [
    { role: "user", content: "What makes KwaaiNet different from a normal LLM API?" },
  ],
});

console.log(resp.choices[0].message.content);
assert.ok(resp.choices[0].message.content.trim().length > 0, "the answer is empty");
assert.ok(["stop", "length"].includes(resp.choices[0].finish_reason));
assert.equal(resp.usage.total_tokens, resp.usage.prompt_tokens + resp.usage.completion_tokens);

const stream = await client.chat.completions.create({
  model: MODEL_ID,
  stream: true,
  messages: [{ role: "user", content: "Explain what Layer 8 is in 3 bullet points." }],
});

let streamed = "";
for await (const chunk of stream) {
  const delta = chunk.choices[0].delta.content || "";
  process.stdout.write(delta);
  streamed += delta;
}
console.log();
assert.ok(streamed.trim().length > 0, "the streamed answer is empty");

const models = await client.models.list();
assert.ok(models.data.some((model) => model.id === MODEL_ID));
await assert.rejects(
  client.chat.completions.create({ model: "no-such-model", messages: [{ role: "user", content: "Hello" }] }),
  OpenAI.NotFoundError,
);
console.log("javascript: ok");
