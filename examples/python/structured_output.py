"""An answer that is JSON of a given schema."""

import json
import os
import sys

from azure.ai.inference import ChatCompletionsClient
from azure.ai.inference.models import JsonSchemaFormat, UserMessage
from azure.core.credentials import AzureKeyCredential

endpoint = os.environ.get("INGOT_ENDPOINT", "http://127.0.0.1:8080")
key = os.environ.get("INGOT_KEY") or sys.exit("Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.")

recipe = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 40},
        "minutes": {"type": "integer", "minimum": 1, "maximum": 240},
        "ingredients": {"type": "array", "items": {"type": "string", "maxLength": 30}, "minItems": 1, "maxItems": 6},
    },
    "required": ["name", "minutes", "ingredients"],
    "additionalProperties": False,
}

with ChatCompletionsClient(endpoint, AzureKeyCredential(key)) as client:
    answer = client.complete(
        messages=[UserMessage("Write a recipe for a simple soup.")],
        response_format=JsonSchemaFormat(name="recipe", schema=recipe, strict=True),
        temperature=0,
        max_tokens=400,
    )

dish = json.loads(answer.choices[0].message.content)
print(f"{dish['name']!r} takes {dish['minutes']} min and {', '.join(map(repr, dish['ingredients']))}")
