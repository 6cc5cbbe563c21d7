"""The six encodings of a vector, computed from its floats (doc/protocol.md §5.3)."""

import base64
import math
import struct


def encode(vector, encoding):
    if encoding == "float":
        return vector
    if encoding == "base64":
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    if encoding in ("int8", "uint8"):
        shift = 128 if encoding == "uint8" else 0
        return [max(-128, min(127, math.floor(x * 127 + 0.5))) + shift for x in vector]
    shift = 128 if encoding == "binary" else 0
    bits = "".join("1" if x >= 0 else "0" for x in vector)
    return [int(bits[i : i + 8], 2) - shift for i in range(0, len(bits), 8)]
