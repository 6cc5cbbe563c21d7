"""Images that tests show."""

import base64
import struct
import zlib


def png(width, height, colour, *, text=b""):
    """A PNG of one colour; text makes the file another and not what is seen."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + bytes(colour) * width for _ in range(height))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + (chunk(b"tEXt", b"Comment\0" + text) if text else b"") + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def data_url(image, kind="png"):
    return f"data:image/{kind};base64," + base64.b64encode(image).decode()


RED, BLUE = png(28, 14, (255, 0, 0)), png(28, 14, (0, 0, 255))
