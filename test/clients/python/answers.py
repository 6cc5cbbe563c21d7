"""What tests ask, and how they read answers."""

import json
import re

from azure.ai.inference.models import UserMessage

ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
VERSION = "?api-version=2024-05-01-preview"


def user(text):
    return [UserMessage(content=text)]


def said(result):
    return result.choices[0].message.content


def joined(updates):
    """The text of all updates of a stream."""
    return "".join(c.delta.content or "" for u in updates for c in u.choices)


def usage(counted):
    return counted.prompt_tokens, counted.completion_tokens, counted.total_tokens


def post(http, url, base, path, **body):
    """Posts with plain HTTP, for what no SDK has."""
    return http.post(url + base + path + VERSION, json=body, timeout=60)


def frames(text):
    """The data of each event of a stream, which must be framed as the pickiest client reads it."""
    assert text.endswith("\n\n")
    lines = text[:-2].split("\n\n")
    assert all(line.startswith("data: ") and "\n" not in line for line in lines)
    return [line.removeprefix("data: ") for line in lines]


class Sent:
    """The requests that went out, retries included; give it to a call as raw_request_hook."""

    def __init__(self):
        self.requests = []

    def __call__(self, request):
        self.requests.append(request.http_request)

    def body(self):
        """The body of the last one."""
        return json.loads(self.requests[-1].content)
