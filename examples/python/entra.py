"""A token of Microsoft Entra ID instead of a key: from the environment, a managed identity or `az login`, whichever there is.

Tokens go over TLS only. The endpoint's configuration says whose it takes (entra).
"""

import os

from azure.ai.inference import ChatCompletionsClient
from azure.ai.inference.models import UserMessage
from azure.identity import DefaultAzureCredential

endpoint = os.environ.get("INGOT_ENDPOINT", "https://127.0.0.1:8080")

# For an endpoint whose audience is an application of yours add credential_scopes=["api://APPLICATION/.default"].
with DefaultAzureCredential() as credential, ChatCompletionsClient(endpoint, credential) as client:
    answer = client.complete(messages=[UserMessage("What is the capital of France?")], temperature=0, max_tokens=100)

print(answer.choices[0].message.content)
