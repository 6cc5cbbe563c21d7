"""All of azure-ai-inference is used by these tests: its methods with all their keyword arguments, the fields of its models, its enumerations.

This looks back on the whole run, and so says little of a part of it.
"""

import surface


def test_nothing_of_the_surface_was_left_out():
    left = sorted(surface.offered - surface.used)

    assert len(surface.offered) > 300
    assert not left, "\n".join(left)
