"""Tools: each prompt again and again, on a model whose chat template has no place for tools."""

import json
from decimal import Decimal
from pathlib import Path

from jsonschema.validators import validator_for

from row import Row
from structured import without_doubles

TOOLS = json.loads(Path(__file__).with_name("tools.json").read_text())
TEMPERATURE = 1
MAX_TOKENS = 320
MAX_TOKENS_OF_TEXT = 120  # a small model's words have no end

# Name: what is asked, the tools that are offered, the choice (auto, required, or a name), whether one call only.
PROMPTS = {
    "weather": ("What is the weather in Paris?", ["get_weather"], "required", False),
    "two cities": ("Compare the weather in Rome and in Oslo.", ["get_weather", "add"], "required", False),
    "fahrenheit": ("How hot will it be in Austin on 4 July 2026, in Fahrenheit?", ["get_weather"], "get_weather", True),
    "sum": ("What is 17 plus 25 plus 3?", ["add", "current_time"], "required", True),
    "sum by name": ("Add up the prices: 3.20, 4.99 and 12.", ["add", "search"], "add", False),
    "table": ("Book a table for four on Friday at seven.", ["book_table"], "required", True),
    "table or not": ("We are six on Sunday evening. My name is Ada.", ["book_table", "current_time"], "auto", False),
    "contact": ("A table for two, Saturday at 20. Call +4915112345.", ["book_table"], "book_table", True),
    "message": ("Tell ada@example.com that I am late.", ["send_message"], "required", True),
    "messages": ("Invite ada@example.com and grace@example.com to lunch. It is urgent!", ["send_message", "get_weather"], "required", False),
    "search": ("I look for a used bicycle, up to 200 euros.", ["search"], "search", True),
    "as before": ("And in Oslo?", ["get_weather", "add"], "auto", True),
    "steps": ("Open the door, wait, and close it.", ["run_steps"], "required", True),
    "steps by name": ("First close the window, then wait.", ["run_steps", "add"], "run_steps", False),
    "translation": ("Say 'good morning' in Japanese.", ["translate"], "required", True),
    "time": ("What time is it?", ["current_time"], "required", False),
    "sum as before": ("What is 17 plus 25?", ["get_weather", "add"], "auto", False),
    "talk": ("Hello! Who are you?", ["get_weather", "add", "book_table"], "auto", False),
    "everything": ("What can you do for me today?", list(TOOLS), "required", True),
    "everything or talk": ("I am bored. Surprise me.", list(TOOLS), "auto", False),
}
QUICK = ["weather", "as before", "contact", "steps", "everything"]


def before(text, name, arguments, result, answer):
    """A call that went well, as a client tells it."""
    call = {"id": "call_1", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
    return [
        {"role": "user", "content": text},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": result},
        {"role": "assistant", "content": answer},
    ]


# What was said before a prompt: a small model that is free to talk calls where it sees how.
HISTORIES = {
    "as before": before("What is the weather in Paris?", "get_weather", {"city": "Paris"}, "rain", "It rains in Paris.")
    + before("And in Rome?", "get_weather", {"city": "Rome"}, "sun", "The sun shines in Rome."),
    "sum as before": before("What is 1 plus 2?", "add", {"numbers": [1, 2]}, "3", "It is 3.")
    + before("What is 20 plus 30?", "add", {"numbers": [20, 30]}, "50", "It is 50."),
}


def measure(endpoint, quick, only):
    judges = {name: judge_of(tool) for name, tool in TOOLS.items()}
    for name, prompt in PROMPTS.items():
        if only and name != only or quick and not only and name not in QUICK:
            continue
        row = Row(name)
        for seed in range(2 if quick else 5):
            answer = endpoint.ask(question(name, prompt, seed), stream=seed % 2 == 1)
            row.count(answer, lambda answer: judge(answer, prompt, judges))
            if answer.finish == "length" and prompt[2] != "auto" and not answer.calls:
                row.faults.append(f"no call: {answer}")
        yield row


def question(name, prompt, seed):
    text, tools, choice, single = prompt
    named = choice not in ("auto", "required")
    body = {
        "messages": HISTORIES.get(name, []) + [{"role": "user", "content": text}],
        "tools": [{"type": "function", "function": {"name": name, **TOOLS[name]}} for name in tools],
        "tool_choice": {"type": "function", "function": {"name": choice}} if named else choice,
        "temperature": TEMPERATURE,
        "seed": seed,
        "max_tokens": MAX_TOKENS_OF_TEXT if choice == "auto" else MAX_TOKENS,
    }
    if single:
        body["parallel_tool_calls"] = False
    return body


def judge(answer, prompt, judges):
    """Says what is wrong with a complete answer."""
    _, tools, choice, single = prompt
    if not answer.calls:
        wrong = [] if choice == "auto" and answer.finish == "stop" and answer.content else ["no call, and no text that was allowed"]
    else:
        wrong = [] if answer.finish == "tool_calls" else [f"finish {answer.finish!r}"]
    if single and len(answer.calls) > 1:
        wrong.append("several calls")
    if "<tool" in answer.content:
        wrong.append("a mark in the text")
    for call in answer.calls:
        if call["name"] not in tools or choice not in ("auto", "required", call["name"]):
            wrong.append(f"{call['name']} was not to be called")
        else:
            wrong.append(judges[call["name"]](call["arguments"]))
    return "; ".join(filter(None, wrong))


def judge_of(tool):
    schema = json.loads(json.dumps(tool.get("parameters", {"type": "object", "maxProperties": 0})), parse_float=Decimal)
    kind = validator_for(schema)
    kind.check_schema(schema)
    validator = kind(schema, format_checker=kind.FORMAT_CHECKER)

    def judge_arguments(text):
        try:
            value = json.loads(text, parse_float=Decimal, object_pairs_hook=without_doubles)
        except ValueError as wrong:
            return f"not JSON: {wrong}"
        return "; ".join(f"{error.json_path}: {error.message}" for error in validator.iter_errors(value))

    return judge_arguments
