"""An answer printed while it is made."""

import os
import sys

from azure.ai.inference import ChatCompletionsClient
from azure.ai.inference.models import UserMessage
from azure.core.credentials import AzureKeyCredential

endpoint = os.environ.get("INGOT_ENDPOINT", "http://127.0.0.1:8080")
key = os.environ.get("INGOT_KEY") or sys.exit("Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.")

with (
    ChatCompletionsClient(endpoint, AzureKeyCredential(key)) as client,
    client.complete(messages=[UserMessage("Tell me a very short story about a lighthouse.")], max_tokens=200, stream=True) as stream,
):
    for update in stream:
        for choice in update.choices:
            print(choice.delta.content or "", end="", flush=True)
    print(f"\n({update.usage.completion_tokens} tokens)")
