"""What azure-ai-inference offers, and what of it was used: its methods note each call with its keyword arguments, its models each field."""

import enum
import functools
import inspect
from collections.abc import Mapping

from azure.ai import inference
from azure.ai.inference import aio, models, prompts, tracing

# What azure.core takes besides, of the client or of the call, as far as the endpoint could notice.
OPTIONS = """api_version connection_timeout connection_verify content_type credential_scopes enforce_https error_map headers
logging_body logging_enable network_span_namer params per_call_policies per_retry_policies permit_redirects policies proxies raw_request_hook
raw_response_hook read_timeout redirect_max request_id response_encoding retry_backoff_factor retry_backoff_max retry_connect retry_mode
retry_on_methods retry_on_status_codes retry_read retry_status retry_total timeout tracing_attributes transport user_agent user_agent_overwrite""".split()

offered, used = {f"option {name}" for name in OPTIONS}, set()


def watch():
    """Lets everything public note its use from now on; before tests take anything from these modules by name."""
    for module in (inference, aio, models, prompts, tracing):
        place = module.__name__.removeprefix("azure.ai.")
        for name in getattr(module, "__all__", ["PromptTemplate"]):
            thing, called = getattr(module, name), f"{place}.{name}"
            if not inspect.isclass(thing):
                setattr(module, name, noting(called, thing))
            elif not issubclass(thing, enum.Enum):
                for method in methods(thing):
                    note(thing, method, f"{called}.{method}")
                if hasattr(thing, "as_dict"):
                    note_fields(thing, called)


def methods(thing):
    """The names of a class's methods that its users call, by name or by statement."""
    statements = {"__init__", "__enter__", "__exit__", "__aenter__", "__aexit__", "__iter__", "__next__", "__aiter__", "__anext__", "__str__"}
    for name in dir(thing):
        static = inspect.getattr_static(thing, name)
        function = inspect.unwrap(getattr(static, "__func__", static))
        ours = inspect.isfunction(function) and function.__module__.startswith("azure.ai.inference") and not function.__module__.endswith("_model_base")
        if ours and (name in statements or not name.startswith("_")) and not (hasattr(thing, "as_dict") and name == "__init__"):
            yield name


def note(thing, name, called):
    static = inspect.getattr_static(thing, name)
    if isinstance(static, classmethod):
        setattr(thing, name, classmethod(noting(called, static.__func__)))
    else:
        setattr(thing, name, noting(called, static))


def noting(called, function):
    """A function that does the same and notes that it was called, and with which keyword arguments."""
    taken = [p.name for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]
    offered.update([called, *(f"{called}({name})" for name in taken)])

    @functools.wraps(function)
    def noted(*args, **options):
        used.update([called, *(f"{called}({name})" if name in taken else f"option {name}" for name in options)])
        return function(*args, **options)

    return noted


def note_fields(model, called):
    fields = {name for c in model.__mro__ for name in vars(c).get("__annotations__", {}) if not name.startswith("_")}
    offered.update([called, *(f"{called}.{name}" for name in fields)])
    begin = model.__init__

    @functools.wraps(begin)
    def noted(self, *args, **options):
        begin(self, *args, **options)
        if type(self) is model:
            given = args[0] if args and isinstance(args[0], Mapping) else {}
            used.update([called, *(f"{called}.{name}" for name in fields & {*given, *options, *self})])

    model.__init__ = noted
