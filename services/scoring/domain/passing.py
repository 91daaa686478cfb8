"""合格规则: versioned data of the centre (R122, P2)."""

from collections.abc import Mapping

THEORY, PRACTICAL = PARTS = ("theory", "practical")
CURRENT = "theory>=60,practical>=60"

# rule -> part -> the least score that passes it
RULES: dict[str, dict[str, int]] = {CURRENT: {THEORY: 60, PRACTICAL: 60}}


def complete(scores: Mapping[str, int], rule: str = CURRENT) -> bool:
    """Whether every part that the rule asks for is scored."""
    return RULES[rule].keys() <= scores.keys()


def passed(scores: Mapping[str, int], rule: str = CURRENT) -> bool:
    """Whether complete scores pass: each part by itself, none makes up for another."""
    return all(scores[part] >= least for part, least in RULES[rule].items())
