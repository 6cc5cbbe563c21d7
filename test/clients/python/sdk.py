"""Both flavours of the SDK behind one interface, so that one test covers them."""

import asyncio
import inspect
import time
from concurrent.futures import ThreadPoolExecutor

from azure.ai import inference
from azure.ai.inference import aio
from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.core.exceptions import AzureError
from azure.core.pipeline.transport import AioHttpTransport, RequestsTransport
from azure.core.rest import AsyncHttpResponse


class Sync:
    """Makes clients of azure.ai.inference and closes them."""

    def __init__(self, server, scheme, key):
        self.url, self.key, self.scheme = server.at(scheme), key, scheme
        self._trust = {"connection_verify": str(server.ca)} if scheme == "https" else {}
        self._clients = []

    def chat(self, base="", key=None, **options):
        return self._make(inference.ChatCompletionsClient, base, key, options)

    def embeddings(self, base="", key=None, **options):
        return self._make(inference.EmbeddingsClient, base, key, options)

    def images(self, base="", key=None, **options):
        return self._make(inference.ImageEmbeddingsClient, base, key, options)

    def load(self, base="", key=None, **options):
        return self._make(inference.load_client, base, key, options)

    def _make(self, make, base, key, options):
        credential = options.pop("credential", None) or AzureKeyCredential(key or self.key)
        client = make(self.url + base, credential, **{**self._trust, **options})
        self._clients.append(client)
        return client

    def hurried(self):
        """A transport for `transport=` that does not sleep before a retry; its waits are the seconds it would have slept."""
        return Hurried(**self._trust)

    def token(self, text):
        """A credential that hands out a token instead of a key."""
        return Token(text)

    def together(self, calls):
        """The outcomes of (method, options) pairs that run at the same time: streams read to their ends, refusals as exceptions."""
        with ThreadPoolExecutor(32) as callers:
            return list(callers.map(self._outcome, calls))

    def _outcome(self, call):
        method, options = call
        try:
            result = method(**options)
            return list(result) if options.get("stream") else result
        except AzureError as refused:
            return refused

    def close(self):
        for client in self._clients:
            client.close()


class Async(Sync):
    """Makes clients of azure.ai.inference.aio, driven from synchronous tests."""

    def __init__(self, server, scheme, key):
        super().__init__(server, scheme, key)
        self.loop = asyncio.new_event_loop()

    def chat(self, base="", key=None, **options):
        return self._make(aio.ChatCompletionsClient, base, key, options)

    def embeddings(self, base="", key=None, **options):
        return self._make(aio.EmbeddingsClient, base, key, options)

    def images(self, base="", key=None, **options):
        return self._make(aio.ImageEmbeddingsClient, base, key, options)

    def load(self, base="", key=None, **options):
        def load(*args, **more):
            return self.loop.run_until_complete(aio.load_client(*args, **more))

        return self._make(load, base, key, options)

    def _make(self, make, base, key, options):
        return Driven(self.loop, super()._make(make, base, key, options))

    def hurried(self):
        return AsyncHurried(**self._trust)

    def token(self, text):
        return AsyncToken(text)

    def together(self, calls):
        async def every():
            return await asyncio.gather(*map(self._outcome, calls))

        return self.loop.run_until_complete(every())

    async def _outcome(self, call):
        method, options = call
        try:
            result = await method.coroutine(**options)
            return [update async for update in result] if options.get("stream") else result
        except AzureError as refused:
            return refused

    def close(self):
        for client in self._clients:
            self.loop.run_until_complete(client.close())
        self.loop.close()


class Driven:
    """An asynchronous client, stream or response with the methods of the synchronous one."""

    def __init__(self, loop, target):
        self._loop, self.target = loop, target

    def __getattr__(self, name):
        value = getattr(self.target, name)
        if not callable(value):
            return value

        def call(*args, **options):
            return self._settle(value(*args, **options))

        call.coroutine = value
        return call

    def _settle(self, result):
        if inspect.isawaitable(result):
            result = self._loop.run_until_complete(result)
        return Driven(self._loop, result) if hasattr(result, "__anext__") or isinstance(result, AsyncHttpResponse) else result

    def __iter__(self):
        return self

    def __next__(self):
        try:
            return self._loop.run_until_complete(anext(self.target))
        except StopAsyncIteration:
            raise StopIteration from None

    def close(self):
        close = getattr(self.target, "aclose", None) or self.target.close
        return self._loop.run_until_complete(close())

    def __enter__(self):
        self._loop.run_until_complete(self.target.__aenter__())
        return self

    def __exit__(self, *details):
        self._loop.run_until_complete(self.target.__aexit__(*details))

    def __str__(self):
        return str(self.target)


class Hurried(RequestsTransport):
    def __init__(self, **options):
        super().__init__(**options)
        self.waits = []

    def sleep(self, duration):
        self.waits.append(duration)


class AsyncHurried(AioHttpTransport):
    def __init__(self, **options):
        super().__init__(**options)
        self.waits = []

    async def sleep(self, duration):
        self.waits.append(duration)


class Token:
    """A token credential of azure.core.credentials that knows one token."""

    def __init__(self, text):
        self._token = AccessToken(text, int(time.time()) + 3600)

    def get_token(self, *scopes, **options):
        return self._token


class AsyncToken(Token):
    """A token credential of azure.core.credentials_async that knows one token."""

    async def get_token(self, *scopes, **options):
        return self._token

    async def close(self):
        pass

    async def __aenter__(self):
        return self

    async def __aexit__(self, *details):
        pass


def undriven(thing):
    """The SDK's own object, in both flavours."""
    return getattr(thing, "target", thing)


def kind(thing):
    """The class name of a client or stream, the same in both flavours."""
    return type(undriven(thing)).__name__.removeprefix("Async")
