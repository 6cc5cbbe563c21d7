"""Both flavours of the SDK behind one interface, so that one test covers them."""

import asyncio

from azure.ai import inference
from azure.ai.inference import aio
from azure.core.credentials import AzureKeyCredential


class Sync:
    """Makes clients of azure.ai.inference and closes them."""

    def __init__(self, url, key):
        self.url, self.key = url, key
        self._clients = []

    def chat(self, base="", key=None, **options):
        return self._make(inference.ChatCompletionsClient, base, key, options)

    def embeddings(self, base="", key=None, **options):
        return self._make(inference.EmbeddingsClient, base, key, options)

    def load(self, base="", key=None, **options):
        return self._make(inference.load_client, base, key, options)

    def _make(self, make, base, key, options):
        client = make(self.url + base, AzureKeyCredential(key or self.key), **options)
        self._clients.append(client)
        return client

    def close(self):
        for client in self._clients:
            client.close()


class Async(Sync):
    """Makes clients of azure.ai.inference.aio, driven from synchronous tests."""

    def __init__(self, url, key):
        super().__init__(url, key)
        self._loop = asyncio.new_event_loop()

    def chat(self, base="", key=None, **options):
        return self._make(aio.ChatCompletionsClient, base, key, options)

    def embeddings(self, base="", key=None, **options):
        return self._make(aio.EmbeddingsClient, base, key, options)

    def load(self, base="", key=None, **options):
        def load(*args, **more):
            return self._loop.run_until_complete(aio.load_client(*args, **more))

        return self._make(load, base, key, options)

    def _make(self, make, base, key, options):
        return Driven(self._loop, super()._make(make, base, key, options))

    def close(self):
        for client in self._clients:
            self._loop.run_until_complete(client.close())
        self._loop.close()


class Driven:
    """An asynchronous client with the methods of the synchronous one."""

    def __init__(self, loop, client):
        self._loop, self.client = loop, client

    def __getattr__(self, name):
        method = getattr(self.client, name)

        def call(*args, **options):
            result = self._loop.run_until_complete(method(*args, **options))
            return self._iterate(result) if hasattr(result, "__aiter__") else result

        return call

    def _iterate(self, stream):
        try:
            while True:
                yield self._loop.run_until_complete(anext(stream))
        except StopAsyncIteration:
            return
        finally:
            self._loop.run_until_complete(stream.aclose())


def kind(client):
    """The class name of a client, the same in both flavours."""
    return type(getattr(client, "client", client)).__name__
