"""The samples of examples/python, each in a process of its own, as their readers run them."""

import os
import re
from pathlib import Path

import pytest

import examples
from conftest import KEY

FRANCE = "What is the capital of France?"
# What each prints when the mock, which repeats what it is told, answers.
PRINTS = {
    "async": rf"{re.escape(FRANCE)} {re.escape(FRANCE)}\n(What is the capital of Italy\? ?){{2}}\nCount from one to five\.",
    "azure_openai": rf"{re.escape(FRANCE)}\n2 vectors of 384 numbers by mock-embedding",
    "basic_chat": rf"{re.escape(FRANCE)}\nmock: 16 tokens in, 7 out",
    "github_models": rf"{re.escape(FRANCE)}\n\(mock\)",
    "history": r"> (What can I make of three eggs\?)\n\1\n\((\d+) tokens in\)\n> (And without a pan\?)\n\3\n\((?!\2 )\d+ tokens in\)",
    "image_embeddings": r"mock-image-embedding: vectors of 384 numbers, cosine -?0\.\d{3}",
    "image_input": r"What shape is this, and of which colour\?",
    "model_info": r"mock of Ingot: chat_completion, for ChatCompletionsClient",
    "streaming": r"Tell me a very short story about a lighthouse\.\n\(10 tokens\)",
    "structured_output": r"'' takes 1 min and ''",
    "text_completion": r"Once upon a time there was\n\(mock, stop\)",
    "tools": r'get_weather\({"city":"","unit":"celsius"}\): The sky over  is clear and it is 21 degrees celsius\.\nHow is the weather in Paris\?',
}
ELSEWHERE = {"embedding_search", "entra", "reasoning", "tls"}


def test_every_sample_is_run():
    assert {path.stem for path in examples.FOLDER.glob("*.py")} == PRINTS.keys() | ELSEWHERE


@pytest.mark.parametrize("name", PRINTS)
def test_a_sample_says_what_it_is_to_say(mock_server, name):
    assert re.fullmatch(PRINTS[name] + "\n", examples.run(name, INGOT_ENDPOINT=mock_server.at("http"), INGOT_KEY=KEY))


def test_thoughts_are_told_from_the_answer(mock_server):
    said = examples.run("reasoning", INGOT_ENDPOINT=mock_server.at("http") + "/deployments/mock-reasoning", INGOT_KEY=KEY)

    assert re.fullmatch(r"Thoughts: The answer is what was said\.\nAnswer: A train leaves at 9:40 and rides .*\?\n", said)


def test_the_local_authority_is_trusted(mock_server, tmp_path):
    (tmp_path / "ingot").symlink_to(Path(os.environ["INGOT_BIN"]).resolve())
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    home = str(mock_server.ca.parent.parent)

    assert examples.run("tls", INGOT_ENDPOINT=mock_server.at("https"), INGOT_KEY=KEY, INGOT_HOME=home, PATH=path) == FRANCE + "\n"


def test_a_sample_without_a_key_says_what_to_do():
    ran = examples.start("basic_chat")

    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("Set INGOT_KEY to a key")


@pytest.mark.parametrize(
    ("question", "nearest"),
    [
        ((), "bicycle"),
        (("Why does the ocean come and go?",), "tides"),
        (("How", "do", "insects", "tell", "each", "other", "where", "food", "is?"), "bees"),
        (("How do I keep my king safe?",), "chess"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_the_nearest_text_comes_first(engine_server, question, nearest):
    asked, *ranking = examples.run("embedding_search", *question, INGOT_ENDPOINT=engine_server.at("http"), INGOT_KEY=KEY).splitlines()
    scores = [(float(score), name) for score, name in map(str.split, ranking)]

    assert asked == " ".join(question or ["How do I repair a flat tyre?"])
    assert {name for _, name in scores} == {path.stem for path in (examples.FOLDER.parent / "texts").glob("*.txt")}
    assert scores[0][1] == nearest
    assert [score for score, _ in scores] == sorted((score for score, _ in scores), reverse=True)
    assert scores[0][0] > scores[1][0] + 0.1


SAYS = {
    "basic_chat": r"(?s).*Paris.*\nsmollm2: \d+ tokens in, \d+ out\n",
    "model_info": r"smollm2 of .+: chat_completion, for ChatCompletionsClient\n",
    "structured_output": r"'.+' takes \d+ min and '.*'\n",
    "text_completion": r"(?s).+\n\(smollm2, length\)\n",
    "tools": r'get_weather\({.*"city": ?"Paris.*}\): The sky over Paris.*\n.*21.*\n',
}


@pytest.mark.parametrize("name", SAYS)
def test_a_sample_runs_with_a_real_model(engine_server, name):
    assert re.fullmatch(SAYS[name], examples.run(name, INGOT_ENDPOINT=engine_server.at("http"), INGOT_KEY=KEY))
