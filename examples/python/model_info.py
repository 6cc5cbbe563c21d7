"""Which model answers here."""

import os
import sys

from azure.ai.inference import load_client
from azure.core.credentials import AzureKeyCredential

endpoint = os.environ.get("INGOT_ENDPOINT", "http://127.0.0.1:8080")
key = os.environ.get("INGOT_KEY") or sys.exit("Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.")

# Asks for the model's information and makes the client that suits its kind.
with load_client(endpoint, AzureKeyCredential(key)) as client:
    info = client.get_model_info()

print(f"{info.model_name} of {info.model_provider_name}: {info['model_type']}, for {type(client).__name__}")
