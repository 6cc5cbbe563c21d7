"""The guard of conftest.py, tried with what libraries connect by."""

import asyncio
import socket
import urllib.request

import pytest

OUTSIDE = "192.0.2.1"  # of the addresses that are kept for examples


async def test_nothing_but_this_machine_is_dialled(dialled):
    with pytest.raises(OSError, match="nothing but this machine"):
        socket.create_connection((OUTSIDE, 80))
    with pytest.raises(OSError, match="nothing but this machine"):
        await asyncio.open_connection(OUTSIDE, 443)
    with pytest.raises(OSError, match="nothing but this machine"):
        urllib.request.urlopen("http://ingot.invalid/")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as telling, pytest.raises(OSError, match="nothing but this machine"):
        telling.sendto(b"told", (OUTSIDE, 8125))

    assert dialled == [OUTSIDE, OUTSIDE, "ingot.invalid", OUTSIDE]
    dialled.clear()
