"""Thoughts and answer of a model that reasons, told apart while they are made.

INGOT_ENDPOINT names such a model, for example http://127.0.0.1:8080/deployments/mock-reasoning.
"""

import os
import sys

from azure.ai.inference import ChatCompletionsClient
from azure.ai.inference.models import UserMessage
from azure.core.credentials import AzureKeyCredential

endpoint = os.environ.get("INGOT_ENDPOINT", "http://127.0.0.1:8080")
key = os.environ.get("INGOT_KEY") or sys.exit("Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.")

# Since this version thoughts have a member of their own; before it they stood as <think>…</think> in the content.
with ChatCompletionsClient(endpoint, AzureKeyCredential(key), api_version="2025-04-01") as client:
    stream = client.complete(messages=[UserMessage("A train leaves at 9:40 and rides for 95 minutes. When does it arrive?")], stream=True)
    thinking = False
    for update in stream:
        for choice in update.choices:
            if thought := choice.delta.get("reasoning_content"):
                print(thought if thinking else f"Thoughts: {thought}", end="", flush=True)
                thinking = True
            if text := choice.delta.content:
                print(f"\nAnswer: {text}" if thinking else text, end="", flush=True)
                thinking = False
print()
