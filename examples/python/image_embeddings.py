"""How alike two pictures are, for a deployment whose model embeds pictures."""

import math
import os
import sys
from pathlib import Path

from azure.ai.inference import ImageEmbeddingsClient
from azure.ai.inference.models import ImageEmbeddingInput
from azure.core.credentials import AzureKeyCredential

endpoint = os.environ.get("INGOT_ENDPOINT", "http://127.0.0.1:8080")
key = os.environ.get("INGOT_KEY") or sys.exit("Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.")
pictures = [Path(__file__).parent.parent / "pictures" / name for name in ("circle.png", "square.png")]

with ImageEmbeddingsClient(endpoint, AzureKeyCredential(key)) as client:
    result = client.embed(input=[ImageEmbeddingInput.load(image_file=str(path), image_format="png") for path in pictures])

circle, square = (item.embedding for item in result.data)
cosine = sum(a * b for a, b in zip(circle, square)) / (math.hypot(*circle) * math.hypot(*square))
print(f"{result.model}: vectors of {len(circle)} numbers, cosine {cosine:.3f}")
