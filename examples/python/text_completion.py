"""A text that the model goes on with, by OpenAI's client."""

import os
import sys

from openai import OpenAI

endpoint = os.environ.get("INGOT_ENDPOINT", "http://127.0.0.1:8080")
key = os.environ.get("INGOT_KEY") or sys.exit("Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.")

# At this address the name of no deployment means the default one; at {endpoint}/v1 it must be a deployment's.
with OpenAI(base_url=endpoint, api_key=key) as client:
    answer = client.completions.create(model="default", prompt="Once upon a time there was", max_tokens=40, temperature=0)

print(answer.choices[0].text)
print(f"({answer.model}, {answer.choices[0].finish_reason})")
