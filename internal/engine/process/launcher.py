"""Run one llama.cpp server for the gateway that started this process.

Standard input carries one line of settings as JSON and then stays open: when
it closes, the gateway is gone and this process ends. Standard output carries
one line of JSON with the address.
"""
import enum
import json
import os
import sys
import threading


def watch():
    while os.read(0, 4096):
        pass
    os._exit(0)


def start(settings):
    sys.path.insert(0, settings["path"])
    import xllamacpp

    params = xllamacpp.CommonParams()
    for name, value in settings["params"].items():
        *owners, leaf = name.split(".")
        target = params
        for owner in owners:
            target = getattr(target, owner)
        kind = type(getattr(target, leaf))
        if issubclass(kind, enum.Enum):
            value = kind[value]
        setattr(target, leaf, value)
    return xllamacpp.Server(params)


settings = json.loads(sys.stdin.buffer.readline())
threading.Thread(target=watch, daemon=True).start()
try:
    server = start(settings)
    print(json.dumps({"url": server.listening_address}), flush=True)
except Exception as problem:
    print("launcher error:", problem, file=sys.stderr, flush=True)
    os._exit(1)
threading.Event().wait()
