"""A conversation: every request carries what was said before."""

import os
import sys

from azure.ai.inference import ChatCompletionsClient
from azure.ai.inference.models import SystemMessage, UserMessage
from azure.core.credentials import AzureKeyCredential

endpoint = os.environ.get("INGOT_ENDPOINT", "http://127.0.0.1:8080")
key = os.environ.get("INGOT_KEY") or sys.exit("Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.")

messages = [SystemMessage("You help with cooking. Answer in one sentence.")]
with ChatCompletionsClient(endpoint, AzureKeyCredential(key), temperature=0, max_tokens=100) as client:
    for question in "What can I make of three eggs?", "And without a pan?":
        messages.append(UserMessage(question))
        answer = client.complete(messages=messages)
        messages.append(answer.choices[0].message)
        print(f"> {question}\n{answer.choices[0].message.content}\n({answer.usage.prompt_tokens} tokens in)")
