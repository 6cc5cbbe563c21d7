"""A sample of GitHub Models' time: only the address is another."""

import os
import sys

from openai import OpenAI

endpoint = os.environ.get("INGOT_ENDPOINT", "http://127.0.0.1:8080")
key = os.environ.get("INGOT_KEY") or sys.exit("Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.")

with OpenAI(base_url=f"{endpoint}/inference", api_key=key) as client:
    answer = client.chat.completions.create(
        model="openai/gpt-4o",
        messages=[{"role": "system", "content": ""}, {"role": "user", "content": "What is the capital of France?"}],
        temperature=1,
        max_tokens=100,
        top_p=1,
    )

print(f"{answer.choices[0].message.content}\n({answer.model})")
