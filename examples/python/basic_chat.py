"""One question, one answer."""

import os
import sys

from azure.ai.inference import ChatCompletionsClient
from azure.ai.inference.models import SystemMessage, UserMessage
from azure.core.credentials import AzureKeyCredential

endpoint = os.environ.get("INGOT_ENDPOINT", "http://127.0.0.1:8080")
key = os.environ.get("INGOT_KEY") or sys.exit("Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.")

with ChatCompletionsClient(endpoint, AzureKeyCredential(key)) as client:
    answer = client.complete(
        messages=[SystemMessage("Be brief."), UserMessage("What is the capital of France?")],
        temperature=0,
        max_tokens=100,
    )

print(answer.choices[0].message.content)
print(f"{answer.model}: {answer.usage.prompt_tokens} tokens in, {answer.usage.completion_tokens} out")
