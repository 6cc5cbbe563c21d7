"""Several questions at the same time, and a stream."""

import asyncio
import os
import sys

from azure.ai.inference.aio import ChatCompletionsClient
from azure.ai.inference.models import UserMessage
from azure.core.credentials import AzureKeyCredential

endpoint = os.environ.get("INGOT_ENDPOINT", "http://127.0.0.1:8080")
key = os.environ.get("INGOT_KEY") or sys.exit("Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.")


async def main() -> None:
    async with ChatCompletionsClient(endpoint, AzureKeyCredential(key), temperature=0, max_tokens=60) as client:
        questions = "What is the capital of France?", "What is the capital of Italy?"
        answers = await asyncio.gather(*(client.complete(messages=[UserMessage(question)]) for question in questions))
        for question, answer in zip(questions, answers):
            print(f"{question} {answer.choices[0].message.content}")

        async with await client.complete(messages=[UserMessage("Count from one to five.")], stream=True) as stream:
            async for update in stream:
                for choice in update.choices:
                    print(choice.delta.content or "", end="", flush=True)
        print()


asyncio.run(main())
