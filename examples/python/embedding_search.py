"""Ranks a folder of texts by how near they are to a question: embedding_search.py [QUESTION]"""

import math
import os
import sys
from pathlib import Path

from azure.ai.inference import EmbeddingsClient
from azure.core.credentials import AzureKeyCredential

endpoint = os.environ.get("INGOT_ENDPOINT", "http://127.0.0.1:8080")
key = os.environ.get("INGOT_KEY") or sys.exit("Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.")
question = " ".join(sys.argv[1:]) or "How do I repair a flat tyre?"
texts = {path.stem: path.read_text() for path in sorted((Path(__file__).parent.parent / "texts").glob("*.txt"))}


def cosine(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b)) / (math.hypot(*a) * math.hypot(*b))


with EmbeddingsClient(endpoint, AzureKeyCredential(key), model="minilm") as client:
    asked, *vectors = (item.embedding for item in client.embed(input=[question, *texts.values()]).data)

print(question)
for score, name in sorted(((cosine(asked, vector), name) for name, vector in zip(texts, vectors)), reverse=True):
    print(f"{score:6.3f}  {name}")
