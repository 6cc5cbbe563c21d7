"""The openai SDK, synchronous and asynchronous behind one interface, at each address that it reaches."""

import asyncio
import inspect
import ssl

import httpx2
import openai

# The addresses of the doors, by the names that tests are called by.
DOORS = {"v1": "/v1", "openai-v1": "/openai/v1", "azure": "/openai/deployments"}


class Sync:
    """Makes clients of a door and closes them; `sent` are the requests that went out, retries included."""

    def __init__(self, server, scheme, door, key):
        self.url, self.door, self.key, self.sent = server.at(scheme), door, key, []
        self._verify = ssl.create_default_context(cafile=server.ca) if scheme == "https" else True
        self._clients = []

    def client(self, key=None, base=None, **options):
        """A client of the door, or of another address of the same shape."""
        key = key or self.key
        options = {"max_retries": 0, "http_client": self._transport(), **options}
        if self.door == "azure" and base is None:
            made = self._azure()(azure_endpoint=self.url, **{"api_key": key, "api_version": "2024-10-21", **options})
        else:
            made = self._plain()(base_url=self.url + (base if base is not None else DOORS[self.door]), api_key=key, **options)
        self._clients.append(made)
        return self._given(made)

    def _plain(self):
        return openai.OpenAI

    def _azure(self):
        return openai.AzureOpenAI

    def _transport(self):
        return httpx2.Client(verify=self._verify, trust_env=False, event_hooks={"request": [self.sent.append]})

    def _given(self, made):
        return made

    def close(self):
        for client in self._clients:
            client.close()


class Async(Sync):
    """The same with asynchronous clients, driven from synchronous tests."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._loop = asyncio.new_event_loop()

    def _plain(self):
        return openai.AsyncOpenAI

    def _azure(self):
        return openai.AsyncAzureOpenAI

    def _transport(self):
        async def note(request):
            self.sent.append(request)

        return httpx2.AsyncClient(verify=self._verify, trust_env=False, event_hooks={"request": [note]})

    def _given(self, made):
        return Driven(self._loop, made)

    def close(self):
        for client in self._clients:
            self._loop.run_until_complete(client.close())
        self._loop.close()


class Driven:
    """An asynchronous client, resource or stream with the methods of the synchronous one."""

    def __init__(self, loop, target):
        self._loop, self._target = loop, target

    def __getattr__(self, name):
        value = getattr(self._target, name)
        if callable(value):
            return lambda *args, **options: self._settle(value(*args, **options))
        return self._settle(value)

    def _settle(self, value):
        if inspect.isawaitable(value) and not hasattr(value, "__aiter__"):
            value = self._loop.run_until_complete(value)
        if type(value).__module__.startswith("openai.types"):
            return value
        if hasattr(value, "__aenter__") or hasattr(value, "__anext__") or type(value).__module__.startswith("openai."):
            return Driven(self._loop, value)
        return value

    def __iter__(self):
        events = aiter(self._target)
        while True:
            try:
                yield self._loop.run_until_complete(anext(events))
            except StopAsyncIteration:
                return

    def __enter__(self):
        return self._settle(self._target.__aenter__())

    def __exit__(self, *details):
        self._loop.run_until_complete(self._target.__aexit__(*details))
