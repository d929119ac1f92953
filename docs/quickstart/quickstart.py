# The API quickstart's Python samples: pip install openai
from openai import OpenAI

client = OpenAI(
    base_url="http://localhost:11435/v1",
    api_key="sk-local-placeholder",  # see node config for actual auth behavior
)

MODEL_ID = "kwaai-demo"  # replace with a /v1/models id

resp = client.chat.completions.create(
    model=MODEL_ID,
    messages=[
        {"role": "user", "content": "Give me a one-sentence description of KwaaiNet."}
    ],
)
print(resp.choices[0].message.content)

stream = client.chat.completions.create(
    model=MODEL_ID,
    stream=True,
    messages=[{"role": "user", "content": "Explain what Layer 8 is in 3 bullet points."}],
)
for chunk in stream:
    delta = chunk.choices[0].delta.content or ""
    print(delta, end="", flush=True)
print()
