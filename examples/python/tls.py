"""Over TLS, with the local authority of `ingot serve --tls auto`."""

import json
import os
import subprocess
import sys

from azure.ai.inference import ChatCompletionsClient
from azure.ai.inference.models import UserMessage
from azure.core.credentials import AzureKeyCredential

endpoint = os.environ.get("INGOT_ENDPOINT", "https://127.0.0.1:8080")
key = os.environ.get("INGOT_KEY") or sys.exit("Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.")

# Where the authority's certificate is; a program that runs elsewhere gets a copy of the file.
authority = json.loads(subprocess.run(["ingot", "trust", "--json"], check=True, capture_output=True).stdout)["ca"]

with ChatCompletionsClient(endpoint, AzureKeyCredential(key), connection_verify=authority) as client:
    answer = client.complete(messages=[UserMessage("What is the capital of France?")], temperature=0, max_tokens=100)

print(answer.choices[0].message.content)
