"""A client of Azure OpenAI: chat and embeddings of deployments."""

import os
import sys

from openai import AzureOpenAI

endpoint = os.environ.get("INGOT_ENDPOINT", "http://127.0.0.1:8080")
key = os.environ.get("INGOT_KEY") or sys.exit("Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.")

# Without a list of models of its own the endpoint knows such names and answers with its default models.
with AzureOpenAI(azure_endpoint=endpoint, api_key=key, api_version="2024-10-21") as client:
    messages = [{"role": "user", "content": "What is the capital of France?"}]
    for chunk in client.chat.completions.create(model="gpt-4o", messages=messages, temperature=0, max_tokens=100, stream=True):
        for choice in chunk.choices:
            print(choice.delta.content or "", end="", flush=True)

    vectors = client.embeddings.create(model="text-embedding-3-small", input=["a word", "another"])
    print(f"\n{len(vectors.data)} vectors of {len(vectors.data[0].embedding)} numbers by {vectors.model}")
