"""A question about a picture, for a deployment whose model sees."""

import os
import sys
from pathlib import Path

from azure.ai.inference import ChatCompletionsClient
from azure.ai.inference.models import ImageContentItem, ImageUrl, TextContentItem, UserMessage
from azure.core.credentials import AzureKeyCredential

endpoint = os.environ.get("INGOT_ENDPOINT", "http://127.0.0.1:8080")
key = os.environ.get("INGOT_KEY") or sys.exit("Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.")
picture = Path(__file__).parent.parent / "pictures" / "circle.png"

with ChatCompletionsClient(endpoint, AzureKeyCredential(key)) as client:
    question = UserMessage(
        [
            TextContentItem(text="What shape is this, and of which colour?"),
            ImageContentItem(image_url=ImageUrl.load(image_file=str(picture), image_format="png")),
        ]
    )
    print(client.complete(messages=[question], max_tokens=100).choices[0].message.content)
