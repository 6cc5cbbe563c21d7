"""A function of this program that the model may call."""

import json
import os
import sys

from azure.ai.inference import ChatCompletionsClient
from azure.ai.inference.models import (
    ChatCompletionsToolChoicePreset,
    ChatCompletionsToolDefinition,
    FunctionDefinition,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from azure.core.credentials import AzureKeyCredential

endpoint = os.environ.get("INGOT_ENDPOINT", "http://127.0.0.1:8080")
key = os.environ.get("INGOT_KEY") or sys.exit("Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.")


def get_weather(city: str, unit: str) -> str:
    """Stands for a service that knows."""
    return f"The sky over {city} is clear and it is {21 if unit == 'celsius' else 70} degrees {unit}."


functions = {"get_weather": get_weather}
weather = ChatCompletionsToolDefinition(
    function=FunctionDefinition(
        name="get_weather",
        description="Tells the weather of a city.",
        parameters={
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "The name of the city."},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            },
            "required": ["city", "unit"],
            "additionalProperties": False,
        },
    )
)

messages = [SystemMessage("Answer in one sentence."), UserMessage("How is the weather in Paris?")]
with ChatCompletionsClient(endpoint, AzureKeyCredential(key), tools=[weather], temperature=0, max_tokens=200) as client:
    # Required, so that a small model calls it too; without it the model decides.
    asked = client.complete(messages=messages, tool_choice=ChatCompletionsToolChoicePreset.REQUIRED).choices[0].message
    messages.append(asked)
    for call in asked.tool_calls:
        result = functions[call.function.name](**json.loads(call.function.arguments))
        print(f"{call.function.name}({call.function.arguments}): {result}")
        messages.append(ToolMessage(result, tool_call_id=call.id))
    print(client.complete(messages=messages, tool_choice=ChatCompletionsToolChoicePreset.NONE).choices[0].message.content)
